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

/// The newest index that a decision gave out, or 0.
Index last_index(const Decision& decision) {
  Index last = 0;
  for (const DecidedCall& call : decision.calls) last = std::max(last, call.index);
  return last;
}

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
  const Index last = last_index(decision);
  if (last <= decided_) return;
  const bool in_order = started_ && !missing() && !full();
  decided_ = last;
  if (in_order) push(decision);
  tell_waiting();
}

OrderedCall AppBacklog::pop() {
  OrderedCall call = std::move(queue_.front());
  queue_.pop_front();
  bytes_ -= call.call->operation.payload.size();
  if (missing() && queue_.size() <= settings_.calls / 2) read_log();
  return call;
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

void AppBacklog::push(const Decision& decision) {
  const bool was_empty = queue_.empty();
  for (const DecidedCall& decided : decision.calls) {
    if (decided.outcome != Outcome::kApplied || decided.index < next_) continue;
    if (decided.index > next_) break;  // a gap: the log is asked for what is missing
    ++next_;
    if (!is_ours(*decided.call)) continue;
    queue_.push_back({decided.index, decision.timestamp, decided.seed, decided.call});
    bytes_ += decided.call->operation.payload.size();
  }
  if (was_empty) on_calls_();  // also where none is ours: popped_up_to() has moved
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
    push(decision);
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
