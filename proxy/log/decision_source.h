// proxy/log/decision_source.h - decided slots, read back from the log.
//
// What the applier asks of whoever keeps the log, for replays and for what did not fit in memory.
//
// Threads: called on the applier's loop, and answers there.

#pragma once

#include <functional>
#include <vector>

#include "core/operation.h"
#include "core/result.h"

namespace zap {

class DecisionSource {
 public:
  virtual ~DecisionSource() = default;

  using Decisions = std::vector<Decision>;
  /// Answers in a turn to come: decisions in slot order, from the one that holds index `first`
  /// (slots and calls before it may come along), ending once they hold more than `bytes` of
  /// payload. May be asked for slots that are not durable yet. None: not in the log yet, ask again.
  virtual void read_decisions(Index first, std::size_t bytes,
                              std::function<void(Result<Decisions>)> done) = 0;
};

}  // namespace zap
