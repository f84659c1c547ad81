// proxy/applier.h - hands decided calls to one application, in order, one at a time.
//
// There is one Applier for each app.address. It knows the next index to apply and takes it from one
// of two places that hold the same calls: from enqueue() while the application keeps up, from the
// log (DecisionSource) when it does not. A restarted application, a restarted sidecar and a backlog
// are all the same case: calls at and beyond the next index wait in the log, and are read back as
// there is room. So memory is bounded, and no call is ever skipped.
//
// A slow application is waited for. A call is sent again, with the same index and marked as a
// replay, only after its connection broke while unanswered, or to an application that has lost its
// state. docs/application_state.md says how that is known.
//
// Threads: lives on one loop; every call, and every callback, is on that loop.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/operation.h"
#include "core/result.h"
#include "core/time.h"

namespace zap {

class EventLoop;
class AppProgress;
class AppProtocol;
class Supervisor;

/// Decided slots, read back from the log. May be asked for slots whose records are appended but not
/// durable yet.
class DecisionSource {
 public:
  virtual ~DecisionSource() = default;

  using Decisions = std::vector<Decision>;
  /// Answers on the loop, later: decisions in slot order, from the one that holds index `first`,
  /// ending once they hold more than `bytes` of payload. They may hold calls of other applications
  /// too. None: not in the log yet, ask again.
  virtual void read_decisions(Index first, std::size_t bytes,
                              std::function<void(Result<Decisions>)> done) = 0;
};

/// What the application said to one ordered call.
struct AppAnswer {
  Index index = 0;
  CallPtr call;
  /// None: the application has executed the call, but its answer was lost with its connection.
  std::optional<Reply> reply;
  bool replay = false;  ///< had been sent before: not compared with other nodes' answers
};

/// Who hears what the application does.
class ApplierObserver {
 public:
  virtual ~ApplierObserver() = default;
  /// In index order, once for each time that the application answered.
  virtual void answered(const AppAnswer& answer) = 0;
  /// applied() has moved. Comes after answered(), and also for calls of other applications.
  virtual void applied_up_to(Index index) = 0;
  /// The queue became full, or has room again and nothing waits in the log.
  virtual void backlog(bool full) = 0;
};

/// For /status, /readyz and metrics.
struct AppHealth {
  enum class State {
    kStarting,     ///< not connected yet
    kOk,           ///< connected, nothing to catch up with
    kUnreachable,  ///< no connection; `error` says why
    kReplaying,    ///< calls up to `target` are being read back from the log
    kBlocked,      ///< call `index` broke the application `attempts` times in a row
    kUndecided,    ///< nothing tells which calls the application has: wants `run --app-is`
  };
  State state = State::kStarting;
  Index applied = 0;
  Index target = 0;
  Index blocked_at = 0;
  std::uint64_t attempts = 0;
  std::optional<Instant> since;  ///< when it left kOk
  std::string error;

  bool ready() const { return state == State::kOk; }
  std::string text() const;  ///< "ok", or a sentence
};

/// `run --app-is`: what an operator says where nothing else tells.
enum class AppIs { kUnsaid, kEmpty, kKept };

struct ApplierSettings {
  config::App app;
  std::vector<std::string> listeners;   ///< whose calls are this application's
  std::vector<std::string> node_names;  ///< by NodeId, for Zap-Node and Zap-Op-Id
  std::uint64_t response_bytes = 1'000'000;
  std::size_t queue_calls = 4096;  ///< beyond either bound, calls wait in the log
  std::size_t queue_bytes = 16'000'000;
  std::size_t reads_waiting = 1024;  ///< reads and passthrough beyond it are refused
  AppIs app_is = AppIs::kUnsaid;
};

class Applier {
 public:
  /// `supervisor` is null where the application is not our child. All outlive the applier.
  Applier(EventLoop& loop, ApplierSettings settings, AppProtocol& protocol, AppProgress& progress,
          DecisionSource& source, ApplierObserver& observer, Supervisor* supervisor);
  ~Applier();
  Applier(const Applier&) = delete;
  Applier& operator=(const Applier&) = delete;

  /// Connects, finds out what the application has, and goes on after it. `decided` is the newest
  /// index that the log holds.
  void start(Index decided);

  /// The next decided slot; calls of listeners that are not ours only move the index.
  void enqueue(const Decision& decision);

  using Done = std::function<void(Result<Reply>)>;
  /// A local read or passthrough: at once, beside ordered calls and in no order with them, or
  /// between them where app.connections is 1. Held back while the application is replayed. Fails
  /// with kUnavailable: not reached, or not answered within `timeout`; kTooLarge: above
  /// response_bytes, or too many reads wait.
  void read(Bytes payload, Duration timeout, Done done);

  /// Everything up to it that is ours has been answered.
  Index applied() const;

  AppHealth health() const;

  /// Sends nothing more, and forgets whoever waits.
  void stop();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace zap
