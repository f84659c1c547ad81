// store/vote_mark.h - the small file beside the log that remembers how far the log had come.
//
// A log that lost its tail looks like a shorter log; a node that then votes again may contradict
// itself. The mark says which position was durable, what the record there hashes to, and where the
// node's last vote was, so that a shorter log is noticed. It also holds the incarnation, which is
// raised at every start. Two slots are written in turn, each with its CRC, so that a torn write
// leaves the other; docs/formats/vote_mark.md has the bytes.
//
// Threads: one caller at a time.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"

namespace zap::store {

/// A place in the log, counted from 1 over the life of the node; 0: before the first record.
using Position = std::uint64_t;

/// When what is written becomes durable: with every group, every 100 ms, or when the system likes.
enum class SyncMode : std::uint8_t { kAlways = 0, kBatch = 1, kNever = 2 };

/// Where a node's votes have got to. The store only keeps the greatest of each number.
struct Vote {
  std::uint64_t view = 0;
  std::uint64_t seq = 0;
  friend bool operator==(const Vote&, const Vote&) = default;
};

struct Mark {
  Digest cluster;               ///< of the cluster's id: whose log this is
  Position position = 0;        ///< durable at least up to here
  Digest chain;                 ///< hash of the record at `position`
  Incarnation incarnation = 0;  ///< of the newest run
  Vote vote;                    ///< at or before `position`
  std::string boot_id;          ///< of the machine's boot that wrote this; empty: none has
  SyncMode sync_mode = SyncMode::kAlways;
  bool clean = true;  ///< the run ended by Log::close, all of it durable
  bool lost = false;  ///< the log once was shorter than the mark; votes wait
  friend bool operator==(const Mark&, const Mark&) = default;
};

/// Lays down the mark of a node that has never run, in the folder `path`, which it makes where
/// missing. Refuses a folder that already has a mark or a log.
Result<void> create_zero_mark(const std::filesystem::path& path, const ClusterId& cluster);

/// What the mark stores for a cluster.
Digest cluster_digest(const ClusterId& cluster);

/// The open file. At most one process has it: the lock on it guards the whole folder.
class MarkFile {
 public:
  /// Refuses when there is no readable slot: a lost disk is a new identity.
  static Result<MarkFile> open(const std::filesystem::path& path);

  MarkFile(MarkFile&& other) noexcept;
  MarkFile& operator=(MarkFile&&) = delete;
  ~MarkFile();

  /// The newest readable slot, or what was written last.
  const Mark& mark() const { return mark_; }
  /// Durable when it returns.
  Result<void> write(const Mark& mark);
  /// Durable in both slots: no torn or rotten slot brings back an older one.
  Result<void> write_both(const Mark& mark);

 private:
  MarkFile(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
  Result<void> read_newest();

  int descriptor_;
  std::string name_;
  std::uint64_t generation_ = 0;  ///< of mark_; its slot is generation_ % 2
  Mark mark_;
};

}  // namespace zap::store
