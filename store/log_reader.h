// store/log_reader.h - all segments of a folder as one log.
//
// Segments may overlap: after a start, records that the one before holds as well are written again
// (Log::start). Where they do, the earlier segment is read as far as it goes; what the later one
// repeats is the same, record for record, since both carry the chain.
//
// Threads: open() and scan() on one; then read(), extend() and note() from any.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "core/result.h"
#include "store/chain.h"
#include "store/log.h"
#include "store/segment.h"
#include "store/slot_index.h"

namespace zap::store {

class LogReader {
 public:
  /// An error ends the reading. The digest is the record's own hash.
  using Visitor = std::function<Result<void>(const ChainedRecord&, const Digest&)>;

  explicit LogReader(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Reads the whole log: every CRC, every link of the chain, every gap, every segment's cluster.
  /// Answers where the chain ends.
  Result<ChainEnd> scan(const ClusterId& cluster, const Visitor& visit);

  struct Found {
    std::vector<ChainedRecord> records;
    bool full = false;  ///< max_bytes was reached: there may be more
  };
  /// What matches, up to position `last`.
  Result<Found> read(const LogQuery& query, Position last);

  /// A segment now begins at `first`, in the place of all that began there or later.
  void replace_from(Position first);
  /// A segment was begun at `first`, after all others.
  void extend(Position first);
  /// A record was written.
  void note(Position position, std::uint64_t seq);

 private:
  Result<SegmentReader*> reader_of(Position first);

  const std::filesystem::path folder_;

  std::mutex reading_;                   ///< guards reader_, for as long as a read takes
  std::optional<SegmentReader> reader_;  ///< of the segment that was read last

  std::mutex index_;                ///< guards what follows; never held while the disk works
  std::vector<Position> segments_;  ///< first positions, ascending
  SlotIndex slots_;
};

}  // namespace zap::store
