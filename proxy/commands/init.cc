#include "proxy/commands/init.h"

#include <sys/stat.h>

#include <iostream>

#include "config/generate.h"
#include "config/keys.h"
#include "config/load.h"
#include "store/vote_mark.h"

namespace zap::commands {
namespace {

using config::ClusterPlan;
using config::ListenerProtocol;

constexpr std::uint64_t kDefaultNodes = 4;
constexpr std::uint64_t kNodesMax = 64;

ListenerProtocol protocol_named(const std::string& name) {
  if (name == "redis") return ListenerProtocol::kRedis;
  if (name == "capnp") return ListenerProtocol::kCapnp;
  return name == "callback" ? ListenerProtocol::kCallback : ListenerProtocol::kHttp;
}

Exit report(const Error& error) {
  std::cerr << "zap-sidecar init: " << error.message << "\n";
  return error.code == ErrorCode::kInvalid ? kUsage : kFailed;
}

class Init : public Command {
 public:
  std::string_view name() const override { return "init"; }
  std::string_view help() const override {
    return "Write the keys, certificates and configurations of a new cluster";
  }

  void declare(Flags& flags) override {
    flags.number("--nodes", nodes_, 1, kNodesMax, "how many; 4, or one for each --host");
    flags.text("--dir", folder_, "the folder to write to");
    flags.choice("--protocol", protocol_, {"pbft", "zab"}, "how calls are ordered");
    flags.choice("--listen", listen_, {"http", "redis", "capnp", "callback"},
                 "what the clients speak");
    flags.number("--base-port", base_port_, 1, 65535, "clients of node 1; node I has I-1 more");
    flags.number("--peer-port", peer_port_, 1, 65535, "peers of node 1; node I has I-1 more");
    flags.number("--admin-port", admin_port_, 1, 65535, "admin of node 1; node I has I-1 more");
    flags.text("--app", app_, "the application beside node 1; node I's port has I-1 more");
    flags.choice("--state", state_, {"memory", "durable"},
                 "what a restart of the application leaves of its state");
    flags.texts("--host", hosts_,
                "a real host, once for each node; nodes on different hosts have the same ports");
    flags.text("--add", newcomer_,
               "make the key, certificate and token of one more node (its --host too), in --dir");
    flags.text("--renew", renewed_, "make a fresh certificate for a node, in --dir");
  }

  Exit run(const std::vector<std::string>&) override {
    ::umask(::umask(0) | S_IWGRP | S_IWOTH);  // what is made here, others never change
    if (!newcomer_.empty()) return add();
    if (!renewed_.empty()) return renew();
    return create();
  }

 private:
  Exit create() {
    auto app = parse_address(app_);
    if (!app) return report({app.error().code, "--app: " + app.error().message});
    const std::uint64_t by_default = hosts_.empty() ? kDefaultNodes : hosts_.size();
    const auto files = config::generate_cluster({
        .folder = folder_,
        .nodes = static_cast<std::uint32_t>(nodes_ == 0 ? by_default : nodes_),
        .hosts = hosts_,
        .protocol = protocol_ == "zab" ? config::Protocol::kZab : config::Protocol::kPbft,
        .listen = protocol_named(listen_),
        .base_port = static_cast<std::uint16_t>(base_port_),
        .peer_port = static_cast<std::uint16_t>(peer_port_),
        .admin_port = static_cast<std::uint16_t>(admin_port_),
        .app = *app,
        .state = state_ == "durable" ? config::AppState::kDurable : config::AppState::kMemory,
    });
    if (!files) return report(files.error());
    for (const config::Path& file : *files) {
      if (const auto marked = lay_down_mark(file); !marked) return report(marked.error());
      std::cout << file.string() << "\n";
    }
    std::cout << (config::Path(folder_) / "operator").string()
              << ": the operator's key and the authority's; keep them on no node\n";
    return kDone;
  }

  /// Loading it is also the proof that what was written is valid.
  static Result<void> lay_down_mark(const config::Path& file) {
    const auto loaded = config::load(file);
    if (!loaded) return loaded.error();
    return store::create_zero_mark(loaded->wal.path, loaded->cluster);
  }

  Exit add() {
    if (hosts_.size() != 1) {
      return report({ErrorCode::kInvalid,
                     "--add " + newcomer_ + " needs one --host: where its peers will reach it"});
    }
    const auto key = config::generate_newcomer(folder_, newcomer_, hosts_[0]);
    if (!key) return report(key.error());
    std::cout << newcomer_ << " " << config::to_string(*key) << "\n";
    return kDone;
  }

  Exit renew() {
    const auto file = config::renew_certificate(folder_, renewed_);
    if (!file) return report(file.error());
    std::cout << file->string() << "\n";
    return kDone;
  }

  std::uint64_t nodes_ = 0;
  std::string folder_ = "cluster";
  std::string protocol_ = "pbft";
  std::string listen_ = "http";
  std::uint64_t base_port_ = 8081;
  std::uint64_t peer_port_ = 9001;
  std::uint64_t admin_port_ = 9901;
  std::string app_ = "127.0.0.1:5001";
  std::string state_ = "memory";
  std::vector<std::string> hosts_;
  std::string newcomer_;
  std::string renewed_;
};

}  // namespace

std::unique_ptr<Command> make_init() { return std::make_unique<Init>(); }

}  // namespace zap::commands
