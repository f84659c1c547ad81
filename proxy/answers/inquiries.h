// proxy/answers/inquiries.h - an origin says that q nodes gave another answer than ours: is it so?
//
// An origin may lie, so its word only makes this node ask every other one. Where q of them, each
// over its own channel, give one digest that is not ours, the local application has diverged.
//
// Threads: lives on the main loop.

#pragma once

#include <functional>
#include <map>
#include <vector>

#include "consensus/wire/peer_messages.h"
#include "core/membership.h"
#include "core/time.h"
#include "proxy/answers/answer_votes.h"
#include "proxy/answers/recent_answers.h"

namespace zap {

/// One node's answer to a replicated call is not what q others gave.
struct Divergence {
  NodeId node = 0;
  OperationId id;
  Index index = 0;
  std::string listener;  ///< known for this node's own alone
  std::string method;
  Digest given;
  Digest agreed;
};

class Inquiries {
 public:
  struct Handlers {
    std::function<void(const wire::FetchAnswers& calls)> ask_all;
    std::function<void(const Divergence& divergence)> diverged;
  };
  Inquiries(NodeId self, Quorum quorum, Handlers handlers)
      : self_(self), quorum_(quorum), handlers_(std::move(handlers)) {}

  void open(const RecentAnswer& ours, Instant now);
  void heard(NodeId from, const wire::Answers::Answer& answer);
  /// Ends those that took too long. To be called now and then.
  void tick(Instant now);

 private:
  struct Inquiry {
    Divergence found;
    AnswerVotes votes;
    Instant until;
  };

  const NodeId self_;
  const Quorum quorum_;
  const Handlers handlers_;
  std::map<OperationId, Inquiry> inquiries_;
};

}  // namespace zap
