// store/log.h - the durable log: records in, first in, first out, and out again at the next start.
//
// The log knows no protocol. A record is a kind, the slot that it is about, and bytes. Records lie
// in segments, one SQLite file each (docs/formats/log.md); each carries its own CRC-32C and the
// hash of the record before it, since SQLite alone reopens a damaged file with fewer rows and calls
// it whole. What was damaged is an error that names file and position, never an absent record.
//
// The life of a Log: open() reads and checks everything there is; start() copies what must not
// rest on an old page cache into a new segment and begins to write; close() ends cleanly.
//
// Threads: open, start, append, sync and close come from one thread, which never waits for the
// disk in append and sync. One storage thread writes: it takes all that is queued, one
// transaction, one sync. Finished segments are moved from SQLite's write-ahead log into their
// files by a thread of their own, so no commit waits for that. read() may come from any thread.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "store/vote_mark.h"

namespace zap::store {

struct LogRecord {
  std::uint8_t kind = 0;  ///< below 32
  std::uint64_t seq = 0;  ///< the slot that it is about; 0: none
  Bytes body;
  friend bool operator==(const LogRecord&, const LogRecord&) = default;
};

struct StoredRecord {
  Position position = 0;
  LogRecord record;
};

struct LogOptions {
  ClusterId cluster;
  SyncMode sync_mode = SyncMode::kAlways;
  /// A segment ends once its files, SQLite's write-ahead log included, are above this.
  std::uint64_t max_segment_bytes = 100'000'000;
  /// How long a record that nobody waits for may stay in memory; also the rhythm of the mark and,
  /// under SyncMode::kBatch, of syncing.
  std::chrono::milliseconds interval{100};
  /// This boot of the machine; empty: ask the kernel.
  std::string boot_id;
};

/// Both are called on the storage thread, and must only hand on.
struct LogEvents {
  /// Every record up to here is durable (kAlways), or written and soon durable (kBatch, kNever).
  std::function<void(Position)> on_durable;
  /// Once: the disk refused. Nothing more will become durable; the process must stop voting and
  /// end.
  std::function<void(const Error&)> on_failed;
};

struct LogQuery {
  Position from = 1;
  std::uint64_t first_seq = 0;  ///< records about these slots
  std::uint64_t last_seq = std::numeric_limits<std::uint64_t>::max();
  std::uint32_t kinds = ~std::uint32_t{0};  ///< bit k: records of kind k
  std::size_t max_bytes = 1'000'000;        ///< of bodies; the first record may exceed it
};

/// Since open(). Read from any thread.
struct LogCounters {
  std::atomic<std::uint64_t> records{0};   ///< written
  std::atomic<std::uint64_t> bytes{0};     ///< of their bodies
  std::atomic<std::uint64_t> commits{0};   ///< transactions
  std::atomic<std::uint64_t> syncs{0};     ///< of records to disk; not of the mark
  std::atomic<std::uint64_t> segments{0};  ///< begun
  std::atomic<std::uint64_t> mark_writes{0};
};

class Log {
 public:
  /// Called for every record in order; an error ends the reading.
  using Visitor = std::function<Result<void>(const StoredRecord&)>;

  /// Reads and checks the whole log in the folder `path`, then raises the incarnation durably.
  /// Refuses a folder without a readable mark, of another cluster, or in use by another process.
  static Result<std::unique_ptr<Log>> open(const std::filesystem::path& path, LogOptions options,
                                           const Visitor& visit);
  /// Without close() before it: as if killed, what nobody waited for may be lost.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// This run's, durable.
  Incarnation incarnation() const;
  /// Where the last known vote was, if the log may lack what the node said since (amnesia). Told
  /// again at every open until forgive_loss().
  std::optional<Vote> lost() const;
  /// Of the last record read or appended.
  Position last_position() const;

  /// Writes the records from `rewrite_from` on into a new segment, syncs it, and begins to write
  /// after them. `vote` is where the node's votes have got to with all that was read. Call once,
  /// before the first append.
  Result<void> start(Position rewrite_from, Vote vote, LogEvents events);

  /// Queues records; written with the next group, or after LogOptions::interval. `vote` is where
  /// the node's votes have got to with these records; it enters the mark no earlier than they are
  /// durable.
  void append(std::vector<LogRecord> records, Vote vote);
  /// Asks that all appended so far become durable; LogEvents::on_durable answers.
  void sync();

  /// Records that match, in order of position, those that are not written yet included. Fewer
  /// than match where max_bytes is reached; empty: there are no more. Whatever is returned was
  /// checked against its CRC.
  Result<std::vector<StoredRecord>> read(const LogQuery& query);

  /// A peer showed that the log lacks what this node said, up to `vote`: lost() says so at every
  /// open from now on, until forgive_loss(). The mark is written at once.
  void admit_loss(Vote vote);
  /// The node may vote again after a loss: the mark says so from its next writing on.
  void forgive_loss();

  /// Everything appended becomes durable, under every SyncMode; the mark says that it was so.
  Result<void> close();

  const LogCounters& counters() const;

 private:
  class State;
  explicit Log(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace zap::store
