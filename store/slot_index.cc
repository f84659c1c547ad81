#include "store/slot_index.h"

#include <algorithm>

namespace zap::store {

void SlotIndex::add(Position position, std::uint64_t seq) {
  if (seq == 0) return;
  if (blocks_.empty() || position - blocks_.back().first >= kBlockRecords) {
    blocks_.push_back({position, position, seq, seq});
    return;
  }
  Block& block = blocks_.back();
  block.last = position;
  block.lowest_seq = std::min(block.lowest_seq, seq);
  block.highest_seq = std::max(block.highest_seq, seq);
}

SlotIndex::Positions SlotIndex::find(std::uint64_t first_seq, std::uint64_t last_seq) const {
  Positions found;
  for (const Block& block : blocks_) {
    if (block.highest_seq < first_seq || block.lowest_seq > last_seq) continue;
    if (found.last == 0) found.first = block.first;
    found.last = block.last;
  }
  return found;
}

}  // namespace zap::store
