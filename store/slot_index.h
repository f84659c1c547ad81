// store/slot_index.h - where in the log the records about some slots lie, roughly.
//
// Slots come nearly in order, so a few numbers for every 256 records narrow a search to little more
// than what it looks for, without an index in the database that every commit would have to write.

#pragma once

#include <cstdint>
#include <vector>

#include "store/vote_mark.h"

namespace zap::store {

class SlotIndex {
 public:
  struct Positions {
    Position first = 1;
    Position last = 0;  ///< below `first`: none
  };

  /// Records come in order of position. `seq` 0: about no slot.
  void add(Position position, std::uint64_t seq);

  /// All records about these slots lie within; so may others.
  Positions find(std::uint64_t first_seq, std::uint64_t last_seq) const;

 private:
  static constexpr std::uint64_t kBlockRecords = 256;
  struct Block {
    Position first;
    Position last;
    std::uint64_t lowest_seq;
    std::uint64_t highest_seq;
  };
  std::vector<Block> blocks_;
};

}  // namespace zap::store
