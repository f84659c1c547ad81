// proxy/app/app_reads.h - local reads and passthrough: calls without an index, side by side.
//
// A bounded queue before a pool of connections of its own, beside the ordered one. Reads run only
// on the run of the application that the applier allows: not while it is replayed, not on one that
// restarted unnoticed. Without connections (app.connections: 1) the applier takes the reads itself.
// The reads of barriers run here, too, before the others.
//
// Threads: one; lives on the applier's loop. `done` may be called from within any call here.

#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "proxy/app/app_connection.h"

namespace zap {

struct AppRead {
  using Done = std::function<void(Result<Reply>)>;

  Bytes payload;
  Instant deadline{};
  bool repeatable = true;  ///< sent once more where its connection broke unanswered
  const Comparison* comparison = &uncompared();  ///< how Reply::compared is made
  bool in_place = false;  ///< others wait for it: it goes first, and fails where it cannot run now
  Done done;
};

class AppReads {
 public:
  struct Settings {
    std::size_t connections = 3;
    std::size_t waiting = 1024;
  };

  /// `on_other_run`: the application has been restarted. `on_waiting`: take() would give one.
  AppReads(EventLoop& loop, const AppEndpoint& endpoint, Settings settings,
           std::function<void()> on_other_run, std::function<void()> on_waiting);

  void add(AppRead read);

  /// From now on reads run, on this run of the application; empty: on any.
  void allow(const std::string& run);
  /// From now on they wait, until their deadlines.
  void hold();
  /// From now on they fail with `error`.
  void refuse(const Error& error);

  /// The oldest that waits and may run.
  std::optional<AppRead> take();
  bool any() const {
    return state_ == State::kAllowed && (!in_place_.empty() || !waiting_.empty());
  }
  /// One that take() gave and whose connection broke.
  void give_back(AppRead read, const std::string& reason);

 private:
  enum class State { kHeld, kRefused, kAllowed };
  struct Lane {
    std::unique_ptr<AppConnection> connection;
    std::deque<AppRead> in_flight;
  };
  using Lanes = std::list<Lane>;

  void pump();
  Lanes::iterator ready_lane();
  void open_lane();
  void opened(Lanes::iterator lane);
  void replied(Lanes::iterator lane, AppReply reply);
  void closed(Lanes::iterator lane, const std::string& reason);
  void close(Lanes::iterator lane, const std::string& reason);
  void fail_waiting(const Error& error);
  void watch(Instant deadline);
  void expire();

  EventLoop& loop_;
  const AppEndpoint& endpoint_;
  const Settings settings_;
  const std::function<void()> on_other_run_;
  const std::function<void()> on_waiting_;

  State state_ = State::kHeld;
  std::string run_;                             ///< the run that is allowed
  Error refusal_{ErrorCode::kUnavailable, {}};  ///< while all are refused
  std::deque<AppRead> in_place_;                ///< before waiting_; only while reads are allowed
  std::deque<AppRead> waiting_;
  Lanes lanes_;
  Timer deadline_;  ///< set for the earliest deadline, or an earlier one
  Instant watched_ = kNever;
};

Error app_unreachable(const std::string& reason);

}  // namespace zap
