#include "proxy/app/applier.h"

#include <algorithm>
#include <utility>

#include "proxy/app/applier_implementation.h"
#include "proxy/face/logging.h"

namespace zap {

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
