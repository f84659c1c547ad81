// proxy/app/placed_reads.h - the reads of a barrier, for the application that is to run them at the
// barrier's place in the order. Plain values.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "adapters/adapter.h"
#include "core/operation.h"

namespace zap {

/// Those reads of a barrier that one application is to run.
struct PlacedReads {
  struct Read {
    std::uint32_t position = 0;  ///< in the barrier
    const Comparison* comparison = nullptr;
    Bytes payload;
  };
  CallPtr barrier;
  bool whole = false;  ///< the answers' bytes are wanted by the barrier's origin
  std::vector<Read> reads;
};
using PlacedReadsPtr = std::shared_ptr<const PlacedReads>;

/// One for each read, in their order; none: it could not be run at its place.
using PlacedAnswers = std::vector<std::optional<Reply>>;

}  // namespace zap
