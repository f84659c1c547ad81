// tests/simulation/disk.h - one node's log and the mark beside it.
//
// First in, first out: what was appended is durable when a sync that began later has ended. A
// crash loses some suffix of what was not. The mark says how far the log once reached, is written
// every 100 ms and never ahead of the log (docs/architecture.md, amnesia).

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "consensus/pbft/restore.h"
#include "proxy/driver.h"
#include "tests/simulation/random.h"
#include "tests/simulation/scheduler.h"

namespace zap::simulation {

struct DiskFaults {
  Duration sync_min = std::chrono::microseconds(50);
  Duration sync_max = std::chrono::microseconds(300);
  double slow = 0;  ///< chance that a sync takes a hundred times as long
};

class Disk {
 public:
  /// What a message may rest upon: the record that must be durable before it leaves.
  enum class Basis : std::uint64_t {
    kAccepted,
    kPrepared,
    kDecided,
    kViewChange,
    kNewView,
  };

  Disk(DiskFaults faults, Scheduler& scheduler, Random random);

  void append(std::vector<pbft::Record> records);
  /// Calls back with how many records are durable by then, for each call once at least.
  void sync(std::function<void(LogPosition)> done);

  LogPosition size() const { return records_.size(); }
  const std::vector<pbft::Record>& records() const { return records_; }

  /// Has a record that says so become durable?
  bool holds(Basis basis, View view, Seq seq, const Digest& digest) const;

  /// The contents of decided slots from `first` on, while they are there; at most `count`.
  std::vector<pbft::BatchContent> decided(Seq first, Seq last, std::size_t count) const;
  Digest decided_digest(Seq seq) const;

  /// The process is gone: syncs under way end unseen, and a part of what they had not covered
  /// stays. `torn` adds a last record that fails its checksum, so counts as not there.
  void crash();
  /// Loses all from `position` on, synced or not: the disk lied, or was replaced.
  void lose_from(LogPosition position);
  /// Flips a bit of one record, which must not go unnoticed; false where there is none to flip.
  bool flip();
  bool is_corrupt() const { return is_corrupt_; }
  void calm_down() { faults_ = {}; }

  LogPosition durable() const { return durable_; }
  /// Where the last vote was, if the log no longer reaches as far as the mark.
  std::optional<pbft::LostVote> lost_vote() const;

 private:
  struct Mark {
    LogPosition position = 0;
    pbft::LostVote vote;
  };

  void index(LogPosition position);
  void truncate(LogPosition size);
  void begin_sync();
  void write_mark_if_due();
  void remember(Basis basis, View view, Seq seq, const Digest& digest, LogPosition position);
  static std::uint64_t key(Basis basis, View view, Seq seq, const Digest& digest);

  DiskFaults faults_;
  Scheduler& scheduler_;
  Random random_;

  std::vector<pbft::Record> records_;
  LogPosition durable_ = 0;  ///< never beyond records_
  std::uint64_t run_ = 0;    ///< counts crashes: a sync of an earlier run reports to nobody
  bool syncing_ = false;
  bool is_corrupt_ = false;
  std::vector<std::function<void(LogPosition)>> waiting_;

  Mark mark_;
  pbft::LostVote newest_;  ///< over the durable records
  Instant mark_due_{};

  std::unordered_map<std::uint64_t, LogPosition> basis_;  ///< never iterated
  std::map<Seq, std::vector<LogPosition>> contents_;      ///< records that carry calls
  std::map<Seq, LogPosition> decided_;
};

}  // namespace zap::simulation
