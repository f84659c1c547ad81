// proxy/answers/answer_fetches.h - the agreed answers that the local application does not have, or
// has another one for: asked for where they were given.
//
// f + 1 nodes gave the digest, so one of them at least is correct and has the bytes. They are asked
// one after the other; what comes back is read as the application's own answer would be, and
// counts only where that comes to the agreed digest. What is wanted of one node in a turn leaves in
// one message.
//
// Threads: lives on the main loop. `done` may be called from within heard().

#pragma once

#include <functional>
#include <map>
#include <vector>

#include "consensus/wire/peer_messages.h"
#include "core/operation.h"
#include "core/result.h"
#include "core/time.h"
#include "proxy/net/event_loop.h"

namespace zap {

class AnswerFetches {
 public:
  struct Handlers {
    std::function<void(NodeId donor, const wire::FetchAnswers& calls)> ask;
    /// What an application's answer to the call comes to.
    std::function<Result<Reply>(const Call& call, const Bytes& answer)> read;
    /// Null: none of the donors has the answer any more.
    std::function<void(const OperationId& call, const Reply* reply)> done;
  };
  AnswerFetches(EventLoop& loop, Handlers handlers) : loop_(loop), handlers_(std::move(handlers)) {}

  /// Ends with `done`, or with forget().
  void want(CallPtr call, const Digest& agreed, std::vector<NodeId> donors, Instant now);
  void forget(const OperationId& call) { fetches_.erase(call); }

  void heard(NodeId from, const wire::Answers::Answer& answer, Instant now);
  /// Asks others where the first were silent. To be called now and then.
  void tick(Instant now);

 private:
  struct Fetch {
    CallPtr call;
    Digest agreed;
    std::vector<NodeId> donors;  ///< the first one is asked
    Instant asked_at{};
  };
  using Fetches = std::map<OperationId, Fetch>;

  void ask(const OperationId& id, Fetch& fetch, Instant now);
  void send();

  EventLoop& loop_;
  const Handlers handlers_;
  Fetches fetches_;  ///< bounded by the calls of this node's clients
  std::map<NodeId, wire::FetchAnswers> to_ask_;
  bool send_is_due_ = false;  ///< when this turn ends
};

}  // namespace zap
