// proxy/answers/reply_outbox.h - digests of our application's answers, on their way to the calls'
// origins.
//
// An application answers the calls of a batch one after the other. Their digests wait for one
// another, at most limits::kReplyGatherTime, and leave in one message to each origin.
//
// Threads: lives on the main loop.

#pragma once

#include <functional>
#include <map>
#include <optional>

#include "consensus/wire/peer_messages.h"
#include "core/ids.h"
#include "core/operation.h"
#include "proxy/net/event_loop.h"

namespace zap {

class ReplyOutbox {
 public:
  using Send = std::function<void(NodeId origin, const wire::AnswerMessage& replies)>;

  ReplyOutbox(EventLoop& loop, Send send)
      : loop_(loop), send_(std::move(send)), gather_(loop, [this] { flush(); }) {}

  /// `compared`: none where the call was executed and nothing is to be compared.
  void add(const OperationId& call, const std::optional<Digest>& compared);
  /// Nothing that is worth waiting for follows: what there is leaves when this turn ends.
  void send_soon();

 private:
  void flush();

  EventLoop& loop_;
  const Send send_;
  std::map<NodeId, wire::Replies> by_origin_;
  Timer gather_;
  bool flush_is_due_ = false;  ///< when this turn ends
};

}  // namespace zap
