#include "proxy/app/applier.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "core/limits.h"
#include "proxy/app/app_backlog.h"
#include "proxy/app/app_progress.h"
#include "proxy/app/app_reads.h"
#include "proxy/app/attempts.h"
#include "proxy/app/ordered_lane.h"
#include "proxy/app/reads_in_place.h"
#include "proxy/app/supervisor.h"
#include "proxy/face/logging.h"
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
  // what the application has (app_resume.h)
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

Applier::Implementation::Implementation(EventLoop& loop, ApplierSettings settings,
                                        const Protocol& protocol, AppProgress& progress,
                                        DecisionSource& source, ApplierObserver& observer,
                                        Supervisor* supervisor)
    : settings_(std::move(settings)),
      endpoint_{.address = settings_.app.address,
                .protocol = protocol,
                .settings = {.response_bytes = settings_.response_bytes},
                .instance = settings_.app.instance,
                .supervised_run = supervisor
                                      ? std::function([supervisor] { return supervisor->run(); })
                                      : nullptr},
      progress_(progress),
      observer_(observer),
      supervisor_(supervisor),
      backlog_(
          loop,
          {.listeners = settings_.listeners,
           .calls = settings_.queue_calls,
           .bytes = settings_.queue_bytes,
           .reads_of = settings_.reads_of},
          source,
          [this] {
            pump();
            move_applied();
          },
          [this](bool waiting) { observer_.backlog(waiting); }),
      reads_(
          loop, endpoint_,
          {.connections = settings_.app.connections - 1, .waiting = settings_.reads_waiting},
          [this] {
            if (settled_ && lane_.idle()) lane_.disconnect("the application restarted");
          },
          [this] { pump(); }),
      reads_in_place_(reads_,
                      [this](const PlacedReads& reads, PlacedAnswers answers) {
                        observer_.read_in_place(reads, std::move(answers));
                        deliver_waiting();
                      }),
      lane_(loop, endpoint_, reads_,
            {.on_open = [this] { settle(); },
             .on_answer = [this](const auto& sent,
                                 AppReply reply) { answered(sent, std::move(reply)); },
             .on_room =
                 [this] {
                   attempts_.connection_served();
                   deliver_waiting();
                 },
             .on_closed = [this](const std::string& reason,
                                 auto unanswered) { closed(reason, std::move(unanswered)); }}),
      retry_(loop, [this] { lane_.connect(); }),
      heal_(loop, [this] { restart_diverged(); }) {}

void Applier::Implementation::start(Index decided) {
  decided_at_start_ = decided;
  held_ = progress_.quarantined_at() != 0;
  if (held_) reads_.refuse(quarantined());
  lane_.connect();
}

void Applier::Implementation::stop() {
  retry_.cancel();
  heal_.cancel();
  reads_.hold();
  lane_.abandon();
  settled_ = false;
}

// ---------------------------------------------------------------- what the application has

void Applier::Implementation::settle() {
  const AppResume next = resume({
      .state = settings_.app.state,
      .answers_index = settings_.app.applied_index.has_value(),
      .supervised = supervisor_ != nullptr,
      .settled_before = settled_before_,
      .quarantined = held_,
      .app_is = settings_.app_is,
      .decided_at_start = decided_at_start_,
      .run = lane_.run(),
      .known = progress_.known(),
      .known_run = progress_.run(),
      .answered = progress_.answered(),
      .sent = progress_.sent(),
      .ever_sent = progress_.ever_sent(),
  });
  switch (next.action) {
    case AppResume::Action::kGoOn:
      return go_on(next.after, next.same_run);
    case AppResume::Action::kAsk: {
      auto probe =
          AppProbe::make(endpoint_.protocol, endpoint_.address, *settings_.app.applied_index);
      if (!probe.ok()) return wait_for_operator(probe.error().message);
      return lane_.ask(std::move(*probe),
                       [this](const Result<std::string>& text) { index_answered(text); });
    }
    case AppResume::Action::kRestart:
      supervisor_->restart(next.why);
      return lane_.disconnect("it is being restarted");
    case AppResume::Action::kWait:
      return wait_for_operator(next.why);
  }
}

void Applier::Implementation::index_answered(const Result<std::string>& text) {
  const auto index = text.ok() ? parse_index(*text) : Result<Index>(text.error());
  if (!index.ok()) return lane_.disconnect(index.error().message);
  if (*index > std::max(backlog_.decided(), decided_at_start_)) {
    log_warning("the application has calls that this node's log does not hold yet",
                {{"app", to_string(endpoint_.address)}, {"index", *index}});
  }
  go_on(*index, /*same_run=*/false);
}

void Applier::Implementation::go_on(Index after, bool same_run) {
  const Index answered = progress_.answered();
  const Index last_sent = unanswered_.empty() ? answered : unanswered_.back().index;
  if (!same_run) {
    const Index had = settled_before_ ? applied_ : progress_.ever_sent();
    if (after < had) {
      log_warning("the application restarted: its calls are replayed",
                  {{"app", to_string(endpoint_.address)}, {"from", after + 1}, {"to", had}});
    }
    progress_.begin_run(lane_.run(), after, decided_at_start_);
  }
  // What it has executed and its connection took the answers of.
  for (; !unanswered_.empty() && unanswered_.front().index <= after; unanswered_.pop_front()) {
    const OrderedCall& lost = unanswered_.front();
    observer_.answered({.index = lost.index, .call = lost.call, .replay = true});
  }
  // A reconnection must not cost a pass over the log: what comes next is still in memory.
  if (settled_before_ && answered <= after && after <= last_sent) {
    backlog_.give_back(std::exchange(unanswered_, {}));
  } else {
    unanswered_.clear();
    backlog_.rewind(after + 1, decided_at_start_);
  }
  held_ = progress_.quarantined_at() != 0 && after >= progress_.quarantined_at();
  error_.clear();
  waits_because_.clear();
  const bool again = after < progress_.ever_sent();
  if (again) replays_ = progress_.ever_sent();
  if ((again && !same_run) || !settled_before_) {
    target_ = std::max({progress_.ever_sent(), after, backlog_.decided()});
  }
  settled_ = settled_before_ = true;
  move_applied();
  pump();
  note_health();
}

void Applier::Implementation::wait_for_operator(const std::string& why) {
  if (waits_because_ == why) return;
  waits_because_ = why;
  log_error("calls are not handed to the application",
            {{"app", to_string(endpoint_.address)}, {"why", why}});
  reads_.refuse(app_unreachable(why));
  note_health();
}

// ---------------------------------------------------------------- calls

/// Something may wait for a connection that may have been idle.
void Applier::Implementation::pump() {
  if (settled_ && lane_.closed_unseen()) return;  // goes on with the next connection
  deliver_waiting();
}

void Applier::Implementation::deliver_waiting() {
  while (settled_ && !held_ && lane_.ready()) {
    const bool reads_are_here = reads_.any() && settings_.app.connections == 1;
    const bool in_place = reads_in_place_.running();
    if (reads_are_here && (read_is_next_ || backlog_.empty() || in_place)) {
      lane_.deliver(std::move(*reads_.take()));
      read_is_next_ = false;
    } else if (backlog_.reads_are_next() && !lane_.carries_calls()) {
      reads_in_place_.run(backlog_.pop().reads);
    } else if (!backlog_.empty() && !backlog_.reads_are_next() && !in_place) {
      deliver(backlog_.pop());
      read_is_next_ = true;
    } else {
      break;
    }
  }
}

void Applier::Implementation::deliver(OrderedCall call) {
  const Operation& operation = call.call->operation;
  const std::string node = settings_.node_name(operation.id.origin);
  const std::string operation_id = node + "-" + std::to_string(operation.id.incarnation) + "-" +
                                   std::to_string(operation.id.number);
  const bool replay = call.index <= progress_.ever_sent();
  std::optional<Delivery> delivery;  // a read is told nothing
  if (operation.kind == OperationKind::kCall) {
    delivery = Delivery{.index = call.index,
                        .timestamp = call.timestamp,
                        .seed = call.seed,
                        .operation_id = operation_id,
                        .node = node,
                        .replay = replay};
  }
  const Comparison& comparison = settings_.comparison_of(operation);
  progress_.mark_sent(call.index);
  lane_.deliver({std::move(call), replay}, delivery, comparison);
}

void Applier::Implementation::answered(const OrderedLane::SentCall& sent, AppReply reply) {
  progress_.mark_answered(sent.call.index);
  attempts_.call_answered(sent.call.index);
  applied_ = sent.call.index;
  deliver_waiting();  // the application works on the next call while we look at this answer
  AppAnswer answer{.index = sent.call.index,
                   .call = sent.call.call,
                   .replay = sent.replay || reply.duplicate,
                   .duplicate = reply.duplicate};
  if (!held_) answer.reply = std::move(reply.reply);
  observer_.answered(answer);
  move_applied();
  if (noted_ != AppHealth::State::kOk) note_health();
}

void Applier::Implementation::closed(const std::string& reason,
                                     std::deque<OrderedCall> unanswered) {
  if (!reason.empty()) error_ = reason;
  const bool was_settled = std::exchange(settled_, false);
  if (!unanswered.empty()) {
    const OrderedCall& first = unanswered.front();
    attempts_.call_broke(first.index);
    log_warning("a connection to the application broke before it had answered",
                {{"app", to_string(endpoint_.address)},
                 {"index", first.index},
                 {"method", first.call->operation.method},
                 {"attempts", attempts_.breaks()},
                 {"error", reason}});
  }
  std::move(unanswered.begin(), unanswered.end(), std::back_inserter(unanswered_));
  if (!was_settled && !reason.empty() && !held_) reads_.refuse(app_unreachable(reason));
  if (was_settled && reason.empty()) {
    attempts_.connection_served();
  } else {
    attempts_.connection_failed();
  }
  retry_.after(attempts_.pause());
  note_health();
}

/// After an answer, or calls of other applications.
void Applier::Implementation::move_applied() {
  if (settled_ && !held_ && !lane_.carries_calls()) applied_ = backlog_.popped_up_to();
  if (std::exchange(told_applied_, applied_) != applied_) observer_.applied_up_to(applied_);
  if (progress_.quarantined_at() != 0 && !held_ && settled_ && applied_ >= target_) {
    end_quarantine("it was replayed from before the first differing call");
  }
}

// ---------------------------------------------------------------- quarantine

bool Applier::Implementation::quarantine(Index first_differing) {
  if (first_differing <= replays_) return false;
  progress_.quarantine(first_differing);
  held_ = true;
  reads_.refuse(quarantined());
  if (supervisor_ && settings_.app.state == config::AppState::kMemory) {
    heal_.after(limits::kQuarantineSettles);
  } else {
    log_warning("the application stays in quarantine until it has been replayed",
                {{"app", to_string(endpoint_.address)},
                 {"way_out", settings_.app.state == config::AppState::kMemory
                                 ? "restart it"
                                 : "empty it, and start the sidecar with --app-is empty"}});
  }
  note_health();
  return true;
}

void Applier::Implementation::restart_diverged() {
  if (held_) supervisor_->restart("it has diverged: a replay gives it the agreed state");
}

void Applier::Implementation::take_quarantine_back() {
  if (progress_.quarantined_at() == 0) return;
  held_ = false;
  end_quarantine("it would leave too few applications");
  pump();
}

void Applier::Implementation::end_quarantine(const char* why) {
  progress_.lift_quarantine();
  log_info("the application is out of quarantine",
           {{"app", to_string(endpoint_.address)}, {"why", why}, {"applied", applied_}});
  note_health();
}

Error Applier::Implementation::quarantined() const {
  return {ErrorCode::kDiverged,
          "the application beside this node is in quarantine: its answer to "
          "call " +
              std::to_string(progress_.quarantined_at()) + " was not that of the other copies"};
}

// ---------------------------------------------------------------- health

AppHealth Applier::Implementation::health() const {
  AppHealth health{.applied = applied_, .target = target_, .since = since_, .error = error_};
  if (progress_.quarantined_at() != 0) {
    health.state = AppHealth::State::kQuarantined;
    health.diverged_at = progress_.quarantined_at();
  } else if (!waits_because_.empty()) {
    health.state = AppHealth::State::kUndecided;
    health.error = waits_because_;
  } else if (attempts_.blocked()) {
    health.state = AppHealth::State::kBlocked;
    health.blocked_at = attempts_.breaking();
    health.attempts = attempts_.breaks();
  } else if (!error_.empty()) {
    health.state = AppHealth::State::kUnreachable;
  } else if (!settled_before_) {
    health.state = AppHealth::State::kStarting;
  } else if (applied_ < target_) {
    health.state = AppHealth::State::kReplaying;
  } else {
    health.state = AppHealth::State::kOk;
  }
  return health;
}

void Applier::Implementation::note_health() {
  const AppHealth now = health();
  if (now.state == AppHealth::State::kOk && settled_) reads_.allow(lane_.run());
  if (now.state == AppHealth::State::kReplaying) reads_.hold();
  if (now.state == std::exchange(noted_, now.state)) return;
  if (now.ready()) {
    since_.reset();
  } else if (!since_) {
    since_ = read_clocks().instant;
  }
}

// ---------------------------------------------------------------- the door

Applier::Applier(EventLoop& loop, ApplierSettings settings, const Protocol& protocol,
                 AppProgress& progress, DecisionSource& source, ApplierObserver& observer,
                 Supervisor* supervisor)
    : implementation_(std::make_unique<Implementation>(loop, std::move(settings), protocol,
                                                       progress, source, observer, supervisor)) {}

Applier::~Applier() = default;

void Applier::start(Index decided) { implementation_->start(decided); }
void Applier::enqueue(const Decision& decision) { implementation_->enqueue(decision); }

void Applier::read(Bytes payload, Duration timeout, Done done) {
  implementation_->read({.payload = std::move(payload),
                         .deadline = read_clocks().instant + timeout,
                         .repeatable = true,
                         .done = std::move(done)});
}

void Applier::pass_through(Bytes payload, Duration timeout, Done done) {
  implementation_->read({.payload = std::move(payload),
                         .deadline = read_clocks().instant + timeout,
                         .repeatable = false,
                         .done = std::move(done)});
}

Index Applier::applied() const { return implementation_->applied(); }
bool Applier::quarantine(Index first_differing) {
  return implementation_->quarantine(first_differing);
}
void Applier::take_quarantine_back() { implementation_->take_quarantine_back(); }
AppHealth Applier::health() const { return implementation_->health(); }
void Applier::stop() { implementation_->stop(); }

}  // namespace zap
