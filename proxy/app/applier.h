// proxy/app/applier.h - hands decided calls to one application, in order, one at a time.
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

#include "adapters/adapter.h"
#include "config/config.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/operation.h"
#include "core/result.h"
#include "core/time.h"
#include "proxy/app/app_health.h"
#include "proxy/app/app_resume.h"
#include "proxy/app/placed_reads.h"
#include "proxy/log/decision_source.h"

namespace zap {

class EventLoop;
class AppProgress;
class Supervisor;

/// What the application said to one ordered call.
struct AppAnswer {
  Index index = 0;
  CallPtr call;
  /// None: the application has executed the call, but its answer was lost with its connection.
  std::optional<Reply> reply;
  bool replay = false;     ///< had been sent before: not compared with other nodes' answers
  bool duplicate = false;  ///< the application says that it had seen it: perhaps another answer
  bool repeated = false;   ///< kept: the call came again under its idempotency key
};

/// Who hears what the application does.
class ApplierObserver {
 public:
  virtual ~ApplierObserver() = default;
  /// In index order, once for each time that the application answered.
  virtual void answered(const AppAnswer& answer) = 0;
  /// The reads of a barrier were run, or could not be.
  virtual void read_in_place(const PlacedReads& reads, PlacedAnswers answers) = 0;
  /// applied() has moved. Comes after answered(), and also for calls of other applications.
  virtual void applied_up_to(Index index) = 0;
  /// The queue became full, or has room again and nothing waits in the log.
  virtual void backlog(bool full) = 0;
};

struct ApplierSettings {
  config::App app;
  std::vector<std::string> listeners;            ///< whose calls are this application's
  std::function<std::string(NodeId)> node_name;  ///< for Zap-Node and Zap-Op-Id
  /// How answers to a call are compared: its method's `compare` and `ignore`. They live as long as
  /// the applier.
  std::function<const Comparison&(const Operation&)> comparison_of;
  /// What of a barrier this application is to run; null: nothing.
  std::function<PlacedReadsPtr(const CallPtr& barrier)> reads_of = [](const CallPtr&) {
    return nullptr;
  };
  std::uint64_t response_bytes = 1'000'000;
  std::size_t queue_calls = 4096;  ///< beyond either bound, calls wait in the log
  std::size_t queue_bytes = 16'000'000;
  std::size_t reads_waiting = 1024;  ///< reads and passthrough beyond it are refused
  AppIs app_is = AppIs::kUnsaid;
};

class Applier {
 public:
  /// `supervisor` is null where the application is not our child. All outlive the applier.
  Applier(EventLoop& loop, ApplierSettings settings, const Protocol& protocol,
          AppProgress& progress, DecisionSource& source, ApplierObserver& observer,
          Supervisor* supervisor);
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
  /// with kUnavailable: not reached, or not answered within `timeout`; kTooLarge: too many reads
  /// wait.
  /// A read whose connection broke before the answer is tried once more; passthrough is not.
  void read(Bytes payload, Duration timeout, Done done);
  void pass_through(Bytes payload, Duration timeout, Done done);

  /// Everything up to it that is ours has been answered.
  Index applied() const;

  AppHealth health() const;

  /// Its answer to this call was not that of q other nodes. From now on it gives no answers and
  /// gets no calls, until it has been replayed from before that call: a memory application that is
  /// our child is restarted for it. Durable. False where that answer was given by an earlier run of
  /// the application.
  bool quarantine(Index first_differing);
  /// It was none, or may not be made: calls go on where they stopped.
  void take_quarantine_back();

  /// Sends nothing more, and forgets whoever waits.
  void stop();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace zap
