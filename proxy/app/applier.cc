#include "proxy/app/applier.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <variant>

#include "core/check.h"
#include "proxy/app/app_backlog.h"
#include "proxy/app/app_connection.h"
#include "proxy/app/app_probe.h"
#include "proxy/app/app_progress.h"
#include "proxy/app/app_reads.h"
#include "proxy/app/supervisor.h"
#include "proxy/face/logging.h"
#include "proxy/net/event_loop.h"

namespace zap {

namespace {

/// Between attempts to connect to an application that does not listen.
constexpr Duration kFirstRetry = std::chrono::milliseconds(10);
constexpr Duration kLongestRetry = std::chrono::milliseconds(500);
/// Between attempts of one call that breaks the application.
constexpr Duration kFirstPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(10);
/// A call that broke its connection so often in a row blocks the queue.
constexpr std::uint64_t kBlockedFrom = 2;

Duration doubled(Duration first, std::uint64_t times, Duration longest) {
  return std::min(longest, first * (1 << std::min<std::uint64_t>(times, 20)));
}

}  // namespace

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
  void stop();

 private:
  /// What the ordered connection carries, in order: a call, or (app.connections: 1) a read.
  /// A read without `done` is over; its answer is still to come.
  struct SentCall {
    OrderedCall call;
    bool replay = false;
  };
  using InFlight = std::variant<SentCall, AppRead>;

  // the ordered connection
  void connect();
  void closed(const std::string& reason);
  void connect_again(bool failed);

  // what the application has (app_resume.h)
  void settle();
  void index_answered(const Reply& reply);
  void go_on(Index after, bool same_run);
  void wait_for_operator(const std::string& why);

  // calls
  void pump();
  void deliver_waiting();
  void deliver(OrderedCall call);
  void deliver(AppRead read);
  void replied(AppReply reply);
  void answered(const SentCall& sent, AppReply reply);
  void broken(std::deque<InFlight> in_flight, const std::string& reason);
  void watch_reads();
  void expire_reads();
  void move_applied();
  void note_health();

  EventLoop& loop_;
  const ApplierSettings settings_;
  const AppEndpoint endpoint_;
  AppProgress& progress_;
  ApplierObserver& observer_;
  Supervisor* const supervisor_;
  AppBacklog backlog_;
  AppReads reads_;

  std::unique_ptr<AppConnection> connection_;
  bool settled_ = false;            ///< calls may be delivered on this connection
  std::optional<AppProbe> asking_;  ///< app.applied_index was asked, and not answered yet
  std::deque<InFlight> in_flight_;
  bool read_is_next_ = false;  ///< calls and reads take turns on a shared connection
  Timer retry_;
  Timer read_deadline_;
  std::uint64_t failures_ = 0;  ///< connections in a row that carried nothing

  /// Sent on a connection that broke, in index order: in doubt until the application has settled.
  std::deque<OrderedCall> unanswered_;
  Index breaking_ = 0;        ///< the call that was first in flight when it broke last
  std::uint64_t breaks_ = 0;  ///< in a row

  Index decided_at_start_ = 0;
  bool settled_before_ = false;
  Index applied_ = 0;
  Index told_applied_ = 0;
  Index target_ = 0;           ///< below it, calls are given again
  std::string error_;          ///< why there is no connection
  std::string waits_because_;  ///< why an operator must speak
  AppHealth::State noted_ = AppHealth::State::kStarting;
  std::optional<Instant> since_;
};

Applier::Implementation::Implementation(EventLoop& loop, ApplierSettings settings,
                                        const Protocol& protocol, AppProgress& progress,
                                        DecisionSource& source, ApplierObserver& observer,
                                        Supervisor* supervisor)
    : loop_(loop),
      settings_(std::move(settings)),
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
           .bytes = settings_.queue_bytes},
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
            if (settled_ && in_flight_.empty()) closed("the application restarted");
          },
          [this] { pump(); }),
      retry_(loop, [this] { connect(); }),
      read_deadline_(loop, [this] { expire_reads(); }) {}

void Applier::Implementation::start(Index decided) {
  decided_at_start_ = decided;
  connect();
}

void Applier::Implementation::stop() {
  retry_.cancel();
  read_deadline_.cancel();
  reads_.hold();
  connection_.reset();
  in_flight_.clear();
  settled_ = false;
}

// ---------------------------------------------------------------- the ordered connection

void Applier::Implementation::connect() {
  connection_ = std::make_unique<AppConnection>(
      loop_, endpoint_,
      AppConnection::Handlers{
          .on_open = [this] { settle(); },
          .on_reply = [this](AppReply reply) { replied(std::move(reply)); },
          .on_closed = [this](const std::string& reason) { closed(reason); },
      });
}

void Applier::Implementation::closed(const std::string& reason) {
  connection_.reset();
  asking_.reset();
  if (!reason.empty()) error_ = reason;
  const bool was_settled = std::exchange(settled_, false);
  broken(std::exchange(in_flight_, {}), reason);
  if (!was_settled && !reason.empty()) reads_.refuse(reason);
  connect_again(/*failed=*/!was_settled || !reason.empty());
  note_health();
}

void Applier::Implementation::connect_again(bool failed) {
  failures_ = failed ? failures_ + 1 : 0;
  Duration pause{};
  if (failures_ > 1) pause = doubled(kFirstRetry, failures_ - 2, kLongestRetry);
  if (breaks_ >= kBlockedFrom) {
    pause = std::max(pause, doubled(kFirstPause, breaks_ - kBlockedFrom, kLongestPause));
  }
  retry_.after(pause);
}

// ---------------------------------------------------------------- what the application has

void Applier::Implementation::settle() {
  const AppResume next = resume({
      .state = settings_.app.state,
      .answers_index = settings_.app.applied_index.has_value(),
      .supervised = supervisor_ != nullptr,
      .settled_before = settled_before_,
      .app_is = settings_.app_is,
      .decided_at_start = decided_at_start_,
      .run = connection_->run(),
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
      asking_ = std::move(*probe);
      return connection_->deliver(asking_->payload(), std::nullopt, uncompared());
    }
    case AppResume::Action::kRestart:
      supervisor_->restart(next.why);
      return closed("it is being restarted");
    case AppResume::Action::kWait:
      return wait_for_operator(next.why);
  }
}

void Applier::Implementation::index_answered(const Reply& reply) {
  const auto text = asking_->answer(reply);
  asking_.reset();
  const auto index = text.ok() ? parse_index(*text) : Result<Index>(text.error());
  if (!index.ok()) return closed(index.error().message);
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
    progress_.begin_run(connection_->run(), after, decided_at_start_);
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
  settled_ = settled_before_ = true;
  error_.clear();
  waits_because_.clear();
  target_ = same_run ? 0 : std::max(progress_.ever_sent(), after);
  move_applied();
  pump();
  note_health();
}

void Applier::Implementation::wait_for_operator(const std::string& why) {
  if (waits_because_ == why) return;
  waits_because_ = why;
  log_error("calls are not handed to the application",
            {{"app", to_string(endpoint_.address)}, {"why", why}});
  reads_.refuse(why);
  note_health();
}

// ---------------------------------------------------------------- calls

/// Something may wait for a connection that may have been idle.
void Applier::Implementation::pump() {
  if (settled_ && in_flight_.empty() && connection_->is_open() && connection_->closed_unseen()) {
    return;  // goes on with the next connection
  }
  deliver_waiting();
}

void Applier::Implementation::deliver_waiting() {
  while (settled_ && connection_->ready()) {
    const bool read = reads_.any() && settings_.app.connections == 1;
    if (read && (read_is_next_ || backlog_.empty())) {
      deliver(std::move(*reads_.take()));
      read_is_next_ = false;
    } else if (!backlog_.empty()) {
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
  progress_.mark_sent(call.index);
  connection_->deliver(operation.payload,
                       Delivery{.index = call.index,
                                .timestamp = call.timestamp,
                                .seed = call.seed,
                                .operation_id = operation_id,
                                .node = node,
                                .replay = replay},
                       settings_.comparison_of(operation));
  in_flight_.emplace_back(SentCall{std::move(call), replay});
}

void Applier::Implementation::deliver(AppRead read) {
  connection_->deliver(read.payload, std::nullopt, uncompared());
  in_flight_.emplace_back(std::move(read));
  watch_reads();
}

void Applier::Implementation::replied(AppReply reply) {
  if (asking_) return index_answered(reply.reply);
  InFlight first = std::move(in_flight_.front());
  in_flight_.pop_front();
  failures_ = 0;
  if (const auto* sent = std::get_if<SentCall>(&first)) return answered(*sent, std::move(reply));
  deliver_waiting();
  if (const auto& done = std::get<AppRead>(first).done) done(std::move(reply.reply));
}

void Applier::Implementation::answered(const SentCall& sent, AppReply reply) {
  progress_.mark_answered(sent.call.index);
  if (sent.call.index >= breaking_) breaks_ = 0;
  applied_ = sent.call.index;
  deliver_waiting();  // the application works on the next call while we look at this answer
  observer_.answered({.index = sent.call.index,
                      .call = sent.call.call,
                      .reply = std::move(reply.reply),
                      .replay = sent.replay || reply.duplicate});
  move_applied();
  if (noted_ != AppHealth::State::kOk) note_health();
}

void Applier::Implementation::broken(std::deque<InFlight> in_flight, const std::string& reason) {
  bool first = true;
  for (InFlight& item : in_flight) {
    if (auto* read = std::get_if<AppRead>(&item)) {
      if (read->done) reads_.give_back(std::move(*read), reason);
      continue;
    }
    OrderedCall& call = std::get<SentCall>(item).call;
    if (std::exchange(first, false)) {
      breaks_ = call.index == breaking_ ? breaks_ + 1 : 1;
      breaking_ = call.index;
      log_warning("a connection to the application broke before it had answered",
                  {{"app", to_string(endpoint_.address)},
                   {"index", call.index},
                   {"method", call.call->operation.method},
                   {"attempts", breaks_},
                   {"error", reason}});
    }
    unanswered_.push_back(std::move(call));
  }
}

void Applier::Implementation::watch_reads() {
  Instant earliest = kNever;
  for (const InFlight& item : in_flight_) {
    const auto* read = std::get_if<AppRead>(&item);
    if (read && read->done) earliest = std::min(earliest, read->deadline);
  }
  read_deadline_.at(earliest);
}

/// A read beyond its deadline fails; where the connection carries no call, that is given up.
void Applier::Implementation::expire_reads() {
  const Instant now = read_clocks().instant;
  bool ordered = false;
  std::vector<AppRead::Done> late;
  for (InFlight& item : in_flight_) {
    auto* read = std::get_if<AppRead>(&item);
    if (!read) {
      ordered = true;
    } else if (read->done && read->deadline <= now) {
      late.push_back(std::exchange(read->done, nullptr));
    }
  }
  if (!late.empty() && !ordered) closed("");
  watch_reads();
  for (const auto& done : late) done(app_unreachable("it did not answer in time"));
}

// ---------------------------------------------------------------- health

/// After an answer, or calls of other applications.
void Applier::Implementation::move_applied() {
  const bool waiting = std::any_of(in_flight_.begin(), in_flight_.end(), [](const InFlight& item) {
    return std::holds_alternative<SentCall>(item);
  });
  if (settled_ && !waiting) applied_ = backlog_.popped_up_to();
  if (std::exchange(told_applied_, applied_) != applied_) observer_.applied_up_to(applied_);
}

AppHealth Applier::Implementation::health() const {
  AppHealth health{.applied = applied_, .target = target_, .since = since_, .error = error_};
  if (!waits_because_.empty()) {
    health.state = AppHealth::State::kUndecided;
    health.error = waits_because_;
  } else if (breaks_ >= kBlockedFrom) {
    health.state = AppHealth::State::kBlocked;
    health.blocked_at = breaking_;
    health.attempts = breaks_;
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
  if (now.state == AppHealth::State::kOk && settled_) reads_.allow(connection_->run());
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
AppHealth Applier::health() const { return implementation_->health(); }
void Applier::stop() { implementation_->stop(); }

}  // namespace zap
