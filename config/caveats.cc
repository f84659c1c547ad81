#include "config/caveats.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "config/certificates.h"

namespace zap::config {
namespace {

constexpr Duration kExpiryNotice = std::chrono::hours(24 * 30);

using Sentences = std::vector<std::string>;

bool is_loopback(const Address& address) {
  return address.is_unix() || address.host == "localhost" || address.host == "::1" ||
         address.host.substr(0, 4) == "127.";
}

/// Whoever can change these can make the node do anything.
void about_files(const Config& config, Sentences& out) {
  const auto changed_by_others = [](const Path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  };
  for (const Path& path : {config.file, config.file.parent_path()}) {
    if (!changed_by_others(path)) continue;
    out.push_back(path.string() + " can be changed by others; chmod go-w " + path.string() + ".");
  }
  struct stat key {};
  if (::stat(config.peer.private_key.c_str(), &key) == 0 && key.st_uid != ::geteuid()) {
    out.push_back("peer.private_key belongs to another user, who can read it: " +
                  config.peer.private_key.string() + ".");
  }
}

void about_cluster(const Config& config, Sentences& out) {
  const Consensus& consensus = config.consensus;
  const auto n = static_cast<std::uint32_t>(consensus.nodes.size());
  if (consensus.protocol == Protocol::kZab) {
    out.push_back("zab survives " + std::to_string((n - 1) / 2) +
                  " crashed nodes and no node that lies.");
  } else if (const std::uint32_t f = Quorum{n}.faulty(); 3 * f + 1 != n) {
    out.push_back(std::to_string(n) + " nodes survive no more liars than " +
                  std::to_string(3 * f + 1) + ": " + std::to_string(f) + ".");
  }
  if (consensus.protocol == Protocol::kPbft && consensus.replies == Replies::kLocal) {
    out.push_back(
        "replies: local answers with the word of one application: nothing compares it with "
        "the others.");
  }
  if (!consensus.operator_key) {
    out.push_back("consensus.operator_key is not given: the membership can never change.");
  }
}

void about_disk(const Config& config, Sentences& out) {
  if (config.wal.sync_mode == SyncMode::kBatch) {
    out.push_back(
        "wal.sync_mode is batch: power cuts that hit a quorum may undo the last 100 ms of "
        "acknowledged writes.");
  }
  if (config.wal.sync_mode == SyncMode::kNever) {
    out.push_back(
        "wal.sync_mode is never: power cuts that hit a quorum may undo acknowledged "
        "writes.");
  }
}

void about_app(const Listener& listener, Sentences& out) {
  const App& app = listener.app;
  const std::string name = listener.name + ": the application at " + to_string(app.address);
  const bool speaks_info =
      app.protocol == ListenerProtocol::kCallback || app.protocol == ListenerProtocol::kRedis;
  const bool durable = app.state == AppState::kDurable;
  const bool tells_index = app.applied_index || speaks_info;
  if (!is_loopback(app.address) && !app.instance && !tells_index) {
    out.push_back(name +
                  " is on another host and has neither app.instance nor app.applied_index: its "
                  "restarts cannot be noticed" +
                  (durable ? "."
                           : ", and after its own the sidecar waits for run --app-is empty or "
                             "--app-is kept."));
  }
  if (!tells_index) {
    out.push_back(name +
                  (durable ? " is durable without app.applied_index: after a crash the one call in "
                             "flight is executed at least once, not exactly once."
                           : " has no app.applied_index: unless the sidecar starts it (run -- "
                             "COMMAND), a call whose connection breaks unanswered is executed at "
                             "least once, not exactly once."));
  }
  if (durable) {
    out.push_back(name +
                  " is durable: where it diverges it stays in quarantine until it is emptied and "
                  "the sidecar is started with --app-is empty.");
  }
  if (!speaks_info) {
    const char* const lacks = app.snapshot
                                  ? " has an app.snapshot, which this version does not use yet"
                                  : " has no app.snapshot";
    out.push_back(name + lacks + ": snapshots hold the sidecar's own state only, " +
                  (durable ? "and the log is kept whole unless wal.keep is given."
                           : "and a restart of it replays every call from the first on."));
  }
}

/// As far as the verb tells.
bool is_unordered_write(const Method& method) {
  if (method.mode != Mode::kLocal && method.mode != Mode::kPassthrough) return false;
  const std::string verb = method.match.substr(0, method.match.find(' '));
  return verb != "GET" && verb != "HEAD" && verb != "OPTIONS";
}

void about_methods(const Config& config, const Listener& listener, Sentences& out) {
  const bool leader =
      config.consensus.read_strategy == Mode::kLeader ||
      std::any_of(listener.methods.begin(), listener.methods.end(),
                  [](const Method& method) { return method.mode == Mode::kLeader; });
  if (leader && config.consensus.protocol == Protocol::kPbft) {
    out.push_back(listener.name +
                  ": leader reads are one node's word: stale or false if the leader lies.");
  }
  for (const Method& method : listener.methods) {
    if (method.mode == Mode::kReplicated && method.compare != Compare::kFull) {
      out.push_back(listener.name + ": '" + method.match + "' compares " +
                    (method.compare == Compare::kStatus ? "the status of its answers only"
                                                        : "nothing of its answers") +
                    ": a client may get what no other copy answered, and a copy that diverged is "
                    "not noticed by it.");
    }
    if (listener.protocol == ListenerProtocol::kHttp && is_unordered_write(method)) {
      out.push_back(listener.name + ": '" + method.match +
                    "' is not ordered: a call that changes state changes this copy alone, and the "
                    "copies differ from then on.");
    }
    if (method.mode == Mode::kLocal && !method.max_staleness) {
      out.push_back(
          listener.name + ": '" + method.match +
          "' is a local read without max_staleness: nothing bounds how old its answer is.");
    }
  }
}

void about_certificate(const Config& config, WallTime now, Sentences& out) {
  const auto facts = load_certificate(config.peer.certificate);
  if (!facts || facts->not_after - now > kExpiryNotice.count()) return;
  const auto days =
      std::chrono::duration_cast<std::chrono::hours>(Duration(facts->not_after - now));
  out.push_back("peer.certificate expires in " + std::to_string(days.count() / 24) +
                " days; zap-sidecar init --renew " + config.node_id + " makes a fresh one.");
}

}  // namespace

std::vector<std::string> caveats(const Config& config, WallTime now) {
  Sentences out;
  about_files(config, out);
  about_cluster(config, out);
  about_disk(config, out);
  about_certificate(config, now, out);
  for (const Listener& listener : config.listeners) {
    if (!is_loopback(listener.address)) {
      out.push_back(listener.name + ": clients reach " + to_string(listener.address) +
                    " in the clear: the sidecar's listeners speak no TLS.");
    }
    about_app(listener, out);
    about_methods(config, listener, out);
  }
  return out;
}

}  // namespace zap::config
