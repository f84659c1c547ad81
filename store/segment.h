// store/segment.h - one file of the log: a SQLite database of records that follow one another.
//
// A segment is complete from its birth: it is written under another name, header and first
// records, made durable, and only then renamed. docs/formats/log.md has the schema.
//
// Threads: one at a time for each object; a reader and the writer of one file may live on two.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"
#include "store/chain.h"
#include "store/sqlite.h"
#include "store/vote_mark.h"

namespace zap::store {

struct SegmentHeader {
  ClusterId cluster;
  Position first = 1;  ///< of its first record, whether that is written yet or not
  Digest previous;     ///< hash of the record before `first`
};

/// "segment-00000000000000000001.db"
std::string segment_name(Position first);
/// The first positions of all segments in a folder, ascending.
Result<std::vector<Position>> list_segments(const std::filesystem::path& folder);
/// Removes a segment with whatever SQLite keeps beside it.
Result<void> remove_segment(const std::filesystem::path& folder, Position first);

class SegmentWriter {
 public:
  /// Adds the first records of a segment while it is made.
  using Fill = std::function<Result<void>(SegmentWriter&)>;

  /// Makes the segment of `header`, durable with what `fill` inserts, in the place of one that
  /// begins at the same position, and opens it for writing.
  static Result<SegmentWriter> create(const std::filesystem::path& folder,
                                      const SegmentHeader& header, SyncMode sync_mode,
                                      const Fill& fill = nullptr);
  static Result<SegmentWriter> open(const std::filesystem::path& file, SyncMode sync_mode);

  Result<void> begin();
  Result<void> insert(const ChainedRecord& record);
  /// Durable when it returns, under SyncMode::kAlways.
  Result<void> commit();
  /// Makes durable what was committed under the other modes.
  Result<void> sync();

  /// Keeps zeros ahead of the write-ahead log's end, so that the next commits sync faster. The next
  /// sync takes them along.
  Result<void> make_room();

  /// Written, SQLite's write-ahead log included.
  std::uint64_t bytes() const;

  /// Moves the write-ahead log into the file, durably, and closes. kUnavailable: another process
  /// reads the segment, which is whole but stays in two files.
  Result<void> seal() &&;

 private:
  SegmentWriter(std::filesystem::path file, Connection connection)
      : file_(std::move(file)), connection_(std::move(connection)) {}
  Result<void> prepare(SyncMode sync_mode);

  std::filesystem::path file_;
  std::uint64_t file_bytes_ = 0;  ///< it grows when it is sealed
  std::uint64_t room_ends_ = 0;
  Connection connection_;
  Statement insert_;
  Statement begin_;
  Statement commit_;
};

class SegmentReader {
 public:
  /// What to read: positions from first to last, and of those what the rest lets through.
  struct Range {
    Position first = 0;
    Position last = std::numeric_limits<std::int64_t>::max();
    std::optional<std::uint32_t> kinds;
    std::uint64_t first_seq = 0;
    std::uint64_t last_seq = std::numeric_limits<std::uint64_t>::max();
  };
  /// False: enough.
  using Visitor = std::function<bool(ChainedRecord)>;

  static Result<SegmentReader> open(const std::filesystem::path& file);

  const SegmentHeader& header() const { return header_; }

  /// Every record handed out has been checked against its CRC.
  Result<void> read(const Range& range, const Visitor& visit);

 private:
  SegmentReader(std::filesystem::path file, Connection connection)
      : file_(std::move(file)), connection_(std::move(connection)) {}
  Result<void> read_header();
  Result<ChainedRecord> record_of_row(const Statement& row) const;

  std::filesystem::path file_;
  Connection connection_;
  SegmentHeader header_;
  Statement all_;
  Statement some_;
};

}  // namespace zap::store
