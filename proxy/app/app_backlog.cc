#include "proxy/app/app_backlog.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "proxy/face/logging.h"

namespace zap {

namespace {

/// Between asking the log again for what it did not have, or failed to read.
constexpr Duration kRetry = std::chrono::milliseconds(5);
constexpr Duration kRetryAfterError = std::chrono::seconds(1);

}  // namespace

AppBacklog::AppBacklog(EventLoop& loop, AppBacklogSettings settings, DecisionSource& source,
                       std::function<void()> on_calls, std::function<void(bool)> on_waiting)
    : settings_(std::move(settings)),
      source_(source),
      on_calls_(std::move(on_calls)),
      on_waiting_(std::move(on_waiting)),
      retry_(loop, [this] { read_log(); }) {}

void AppBacklog::rewind(Index next, Index decided) {
  ZAP_CHECK(next >= 1, "indexes count from 1");
  started_ = true;
  reading_.reset();
  queue_.clear();
  bytes_ = 0;
  next_ = next;
  decided_ = std::max(decided_, decided);
  tell_waiting();
  read_log();
}

void AppBacklog::enqueue(const Decision& decision) {
  const bool in_order = started_ && !missing() && !full();
  const Index before = decided_;
  decided_ = std::max(decided_, last_applied(decision));
  if (in_order) push(decision, /*is_fresh=*/true);
  if (decided_ > before) tell_waiting();
}

OrderedCall AppBacklog::pop() {
  OrderedCall call = std::move(queue_.front());
  queue_.pop_front();
  bytes_ -= call.call->operation.payload.size();
  if (missing() && queue_.size() <= settings_.calls / 2) read_log();
  return call;
}

Index AppBacklog::popped_up_to() const {
  if (queue_.empty()) return next_ - 1;
  const OrderedCall& first = queue_.front();
  return first.reads ? first.index : first.index - 1;
}

void AppBacklog::give_back(std::deque<OrderedCall> calls) {
  for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
    bytes_ += call->call->operation.payload.size();
    queue_.push_front(std::move(*call));
  }
}

bool AppBacklog::is_ours(const Call& call) const {
  return std::find(settings_.listeners.begin(), settings_.listeners.end(),
                   call.operation.listener) != settings_.listeners.end();
}

void AppBacklog::push(const Decision& decision, bool is_fresh) {
  const bool was_empty = queue_.empty();
  for (const DecidedCall& decided : decision.calls) {
    if (decided.outcome == Outcome::kBarrier && is_fresh) push_reads(decided);
    if (decided.outcome != Outcome::kApplied || decided.index < next_) continue;
    if (decided.index > next_) break;  // a gap: the log is asked for what is missing
    ++next_;
    if (!is_ours(*decided.call)) continue;
    queue_.push_back({decided.index, decision.timestamp, decided.seed, decided.call});
    bytes_ += decided.call->operation.payload.size();
  }
  if (was_empty) on_calls_();  // also where none is ours: popped_up_to() has moved
}

/// Only at its very place: who is behind leaves the reads to others.
void AppBacklog::push_reads(const DecidedCall& barrier) {
  if (barrier.index + 1 != next_) return;
  PlacedReadsPtr reads = settings_.reads_of(barrier.call);
  if (!reads) return;
  queue_.push_back({.index = barrier.index, .call = barrier.call, .reads = std::move(reads)});
  bytes_ += barrier.call->operation.payload.size();
}

void AppBacklog::read_log() {
  if (reading_ || !missing() || full()) return;
  reading_ = std::make_shared<const bool>(true);
  source_.read_decisions(next_, settings_.bytes / 2,
                         [this, asked = std::weak_ptr(reading_)](auto read) {
                           if (asked.lock()) take(std::move(read));
                         });
}

void AppBacklog::take(Result<DecisionSource::Decisions> read) {
  const auto reading = reading_;
  if (!read.ok()) {
    reading_.reset();
    log_error("cannot read decided calls back from the log",
              {{"index", next_}, {"error", read.error().message}});
    return retry_.after(kRetryAfterError);
  }
  const Index before = next_;
  for (const Decision& decision : *read) {
    if (full()) break;
    push(decision, /*is_fresh=*/false);
    if (reading_ != reading) return;  // rewound by whoever got the call
  }
  reading_.reset();
  if (next_ == before) return retry_.after(kRetry);
  decided_ = std::max(decided_, next_ - 1);
  tell_waiting();
  read_log();
}

void AppBacklog::tell_waiting() {
  const bool waiting = missing();
  if (waiting == std::exchange(waiting_, waiting)) return;
  on_waiting_(waiting);
}

}  // namespace zap
