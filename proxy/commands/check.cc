#include "proxy/commands/check.h"

#include <chrono>
#include <iomanip>
#include <iostream>

#include "config/caveats.h"
#include "config/units.h"
#include "proxy/commands/runnable.h"
#include "proxy/open_files.h"

namespace zap::commands {
namespace {

using config::Config;
using config::Listener;
using config::Method;
using config::Mode;

const char* name_of(Mode mode) {
  switch (mode) {
    case Mode::kReplicated:
      return "replicated";
    case Mode::kLinearizable:
      return "linearizable";
    case Mode::kLeader:
      return "leader";
    case Mode::kLocal:
      return "local";
    case Mode::kPassthrough:
      return "passthrough";
    case Mode::kReject:
      return "reject";
  }
  return "";
}

void print_row(const std::string& match, const std::string& mode, const std::string& more = "") {
  std::cout << "  " << std::left << std::setw(40) << match << " " << mode << more << "\n";
}

void print_unmatched(const Config& config, const Listener& listener) {
  switch (listener.unmatched) {
    case config::Unmatched::kPassthrough:
      return print_row("everything else", "passthrough");
    case config::Unmatched::kReplicated:
      return print_row("everything else", "replicated");
    case config::Unmatched::kReject:
      return print_row("everything else", "reject");
    case config::Unmatched::kClassify:
      break;
  }
  if (listener.protocol == config::ListenerProtocol::kHttp) {
    print_row("other GET, HEAD, OPTIONS", name_of(config.consensus.read_strategy));
  }
  if (listener.protocol == config::ListenerProtocol::kRedis) {
    print_row("other commands flagged readonly", name_of(config.consensus.read_strategy));
  }
  print_row("everything else", "replicated");
}

void print_methods(const Config& config, const Listener& listener) {
  std::cout << "\n"
            << listener.name << ": " << to_string(listener.address) << ", application at "
            << to_string(listener.app.address) << "\n";
  for (const Method& method : listener.methods) {
    std::string more;
    if (method.max_staleness) {
      more += ", at most " + config::print_duration(*method.max_staleness) + " stale";
    }
    if (method.timeout) more += ", timeout " + config::print_duration(*method.timeout);
    print_row(method.match, name_of(method.mode), more);
  }
  print_unmatched(config, listener);
}

void print_summary(const Config& config) {
  const bool zab = config.consensus.protocol == config::Protocol::kZab;
  const auto n = static_cast<std::uint32_t>(config.consensus.nodes.size());
  const std::uint32_t quorum = zab ? n / 2 + 1 : Quorum{n}.size();
  std::cout << config.file.string() << " is valid\n"
            << config.node_id << " of " << n << " nodes, " << (zab ? "zab" : "pbft") << ", quorum "
            << quorum << "\n";
}

class Check : public Command {
 public:
  std::string_view name() const override { return "check"; }
  std::string_view help() const override {
    return "Validate a configuration; print its methods table and what it cannot promise";
  }
  void declare(Flags& flags) override {
    flags.required_text("--config", file_, "the node's configuration file");
  }

  Exit run(const std::vector<std::string>&) override {
    const auto loaded = load_runnable(file_);
    if (!loaded) {
      std::cerr << loaded.error().message << "\n";
      return kUsage;
    }
    print_summary(*loaded);
    for (const Listener& listener : loaded->listeners) print_methods(*loaded, listener);

    const auto room = room_for_clients(*loaded, open_files_allowed());
    if (!room) {
      std::cerr << file_ << ": " << room.error().message << "\n";
      return kFailed;
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    auto sentences = config::caveats(*loaded, std::chrono::nanoseconds(now).count());
    if (!room->shortage.empty()) sentences.push_back(room->shortage + ".");
    if (!sentences.empty()) std::cout << "\nWhat it cannot promise:\n";
    for (const std::string& sentence : sentences) std::cout << "- " << sentence << "\n";
    return kDone;
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> make_check() { return std::make_unique<Check>(); }

}  // namespace zap::commands
