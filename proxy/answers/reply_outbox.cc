#include "proxy/answers/reply_outbox.h"

#include <utility>

#include "core/limits.h"

namespace zap {

void ReplyOutbox::add(const OperationId& call, const std::optional<Digest>& compared) {
  wire::Replies& replies = by_origin_[call.origin];
  const bool other_run = replies.incarnation != call.incarnation;
  if (!replies.results.empty() && (other_run || replies.results.size() == limits::kReplies)) {
    send_(call.origin, std::exchange(replies, {}));
  }
  replies.incarnation = call.incarnation;
  replies.results.push_back({call.number, compared});
  if (!gather_.pending()) gather_.after(limits::kReplyGatherTime);
}

void ReplyOutbox::send_soon() {
  if (!std::exchange(flush_is_due_, true)) loop_.at_end_of_turn([this] { flush(); });
}

void ReplyOutbox::flush() {
  flush_is_due_ = false;
  gather_.cancel();
  for (auto& [origin, replies] : by_origin_) {
    if (!replies.results.empty()) send_(origin, std::exchange(replies, {}));
  }
}

}  // namespace zap
