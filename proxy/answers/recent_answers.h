// proxy/answers/recent_answers.h - what the local application answered lately, for the nodes that
// ask: an origin whose own application lacks the answer, or a node whose answer was another one.
//
// Bounded in number and bytes; the oldest go. A ring for each origin, indexed by the call's number,
// so that keeping an answer costs no allocation.
//
// Threads: lives on the main loop.

#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/limits.h"
#include "core/operation.h"

namespace zap {

struct RecentAnswer {
  OperationId id;
  Index index = 0;
  OperationKind kind = OperationKind::kCall;
  std::string listener;
  std::string method;
  Reply reply;
};

class RecentAnswers {
 public:
  explicit RecentAnswers(std::size_t answers = limits::kRecentAnswers,
                         std::size_t bytes = limits::kRecentAnswerBytes)
      : answers_max_(answers), bytes_max_(bytes) {}

  void keep(const Call& call, Index index, const Reply& reply);
  /// Null where it was never here, or is forgotten.
  const RecentAnswer* find(const OperationId& id) const;
  /// They were wrong.
  void forget_all();

 private:
  void forget_oldest();

  const std::size_t answers_max_;
  const std::size_t bytes_max_;
  std::map<NodeId, std::vector<RecentAnswer>> rings_;  ///< call number n at n % answers_max_
  std::deque<OperationId> order_;                      ///< oldest first
  std::size_t bytes_ = 0;                              ///< of the answers in rings_
};

}  // namespace zap
