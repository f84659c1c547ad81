// proxy/log/decision_cursor.h - reads decided slots back from the log, forward.
//
// What a call became (its index, or a duplicate) is not stored but follows from executing the log
// again from its start, so a cursor keeps the ledger as it stands and goes on from there: reading
// everything in pieces costs one pass.
//
// Threads: one at a time.

#pragma once

#include <cstddef>
#include <vector>

#include "consensus/pbft/restore.h"
#include "core/operation.h"
#include "core/result.h"
#include "store/log.h"

namespace zap {

class DecisionCursor {
 public:
  DecisionCursor(store::Log& log, const ClusterId& cluster) : log_(log), restorer_(cluster) {}

  /// The lowest index that read() can still answer.
  Index next() const { return next_; }

  /// Decisions in slot order, from the one that holds index `first` (at or above next()), ending
  /// once they hold `bytes` of payload. None: the log does not hold that index yet. After an error
  /// the cursor is of no more use.
  Result<std::vector<Decision>> read(Index first, std::size_t bytes);

 private:
  store::Log& log_;
  pbft::Restorer restorer_;
  store::Position position_ = 1;  ///< the next record to read
  Index next_ = 1;
};

}  // namespace zap
