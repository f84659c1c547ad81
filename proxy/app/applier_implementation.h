// proxy/app/applier_implementation.h - what an Applier is made of. Inside of applier.h.
//
// applier.cc hands calls over; applier_state.cc knows what the application has: where it goes on,
// whether it is in quarantine, how it does.

#pragma once

#include <deque>
#include <optional>
#include <string>

#include "proxy/app/app_backlog.h"
#include "proxy/app/app_progress.h"
#include "proxy/app/app_reads.h"
#include "proxy/app/applier.h"
#include "proxy/app/attempts.h"
#include "proxy/app/ordered_lane.h"
#include "proxy/app/reads_in_place.h"
#include "proxy/app/supervisor.h"
#include "proxy/net/event_loop.h"

namespace zap {

class Applier::Implementation {
 public:
  Implementation(EventLoop& loop, ApplierSettings settings, const Protocol& protocol,
                 AppProgress& progress, DecisionSource& source, ApplierObserver& observer,
                 Supervisor* supervisor);

  void start(Index decided);
  void enqueue(const Decision& decision) { backlog_.enqueue(decision); }
  void read(AppRead read) { reads_.add(std::move(read)); }
  Index applied() const { return applied_; }
  AppHealth health() const;
  bool quarantine(Index first_differing);
  void take_quarantine_back();
  void stop();

 private:
  // where it goes on (app_resume.h)
  void settle();
  void index_answered(const Result<std::string>& text);
  void go_on(Index after, bool same_run);
  void wait_for_operator(const std::string& why);

  // calls
  void pump();
  void deliver_waiting();
  void deliver(OrderedCall call);
  void answered(const OrderedLane::SentCall& sent, AppReply reply);
  void closed(const std::string& reason, std::deque<OrderedCall> unanswered);
  void move_applied();

  // quarantine
  void restart_diverged();
  void end_quarantine(const char* why);
  Error quarantined() const;

  void note_health();

  const ApplierSettings settings_;
  const AppEndpoint endpoint_;
  AppProgress& progress_;
  ApplierObserver& observer_;
  Supervisor* const supervisor_;
  AppBacklog backlog_;
  AppReads reads_;
  ReadsInPlace reads_in_place_;
  OrderedLane lane_;
  Attempts attempts_;
  Timer retry_;
  Timer heal_;

  bool settled_ = false;  ///< calls may be delivered on this connection
  bool held_ = false;     ///< but for the quarantine: this run has diverged
  bool settled_before_ = false;
  bool read_is_next_ = false;  ///< calls and reads take turns on a shared connection

  /// Sent on a connection that broke, in index order: in doubt until the application has settled.
  std::deque<OrderedCall> unanswered_;

  Index decided_at_start_ = 0;
  Index applied_ = 0;
  Index told_applied_ = 0;
  Index replays_ = 0;          ///< up to it, what the application answers now was asked before
  Index target_ = 0;           ///< up to it, calls are read back from the log
  std::string error_;          ///< why there is no connection
  std::string waits_because_;  ///< why an operator must speak
  AppHealth::State noted_ = AppHealth::State::kStarting;
  std::optional<Instant> since_;
};

}  // namespace zap
