// consensus/wire/barrier.h - what the payload of a barrier (OperationKind::kBarrier) holds: reads,
// and who runs them.
//
// The engine orders it like any payload. The nodes that are named run the reads between the call
// before the barrier and the call behind it, so all of them read the same state. Plain values;
// codec.h makes bytes of them.

#pragma once

#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"

namespace zap::wire {

struct Barrier {
  struct Read {
    std::string listener;
    std::string method;  ///< the entry of the methods table: how answers are compared
    Bytes payload;
    friend bool operator==(const Read&, const Read&) = default;
  };
  std::vector<NodeId> readers;  ///< none: it only marks its place
  std::vector<Read> reads;
  bool whole = false;  ///< answers are wanted with their bytes, and not as digests alone
  friend bool operator==(const Barrier&, const Barrier&) = default;
};

}  // namespace zap::wire
