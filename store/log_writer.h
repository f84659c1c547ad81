// store/log_writer.h - the storage thread: group commit, segments, and the mark.
//
// Whoever appends only queues. The thread takes all that is queued, writes it in one transaction
// and syncs once: at once when somebody waits, else when LogOptions::interval has passed. What is
// not waited for costs no wake-up of its own.
//
// Threads: append(), sync(), forgive_loss(), close() from the owner's; queued() from any; the
// rest runs on the thread that the constructor starts.

#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "store/chain.h"
#include "store/log.h"
#include "store/log_reader.h"
#include "store/segment.h"
#include "store/vote_mark.h"

namespace zap::store {

class LogWriter {
 public:
  /// Goes on after `end`, which is the last record of `segment` and durable. `vote`: at `end`.
  LogWriter(std::filesystem::path folder, const LogOptions& options, LogEvents events,
            LogReader& reader, MarkFile& mark, LogCounters& counters, SegmentWriter segment,
            ChainEnd end, Vote vote);
  /// Stops without writing what is queued.
  ~LogWriter();

  void append(std::vector<LogRecord> records, Vote vote);
  void sync();
  void admit_loss(Vote vote);
  void forgive_loss();
  /// Writes and syncs everything, marks the end as clean, and stops.
  Result<void> close();

  Position last_position() const;

  /// What is not written yet, in order, and the last position that is.
  struct Queued {
    std::vector<StoredRecord> records;
    Position written = 0;
  };
  Queued queued();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Ending { kNone, kClean, kAbandoned };

  void run();
  /// Sleeps until there is something to do. With the lock held.
  void wait(std::unique_lock<std::mutex>& lock);
  Result<void> write_group();
  Result<void> write_records();
  Result<void> begin_next_segment();
  Result<void> wait_for_sealing();
  /// Makes durable what the mode left to us.
  Result<void> sync_segment();
  Result<void> end_interval();
  Result<void> finish();
  Result<void> write_mark(bool clean);
  void fail(const Error& error);

  const std::filesystem::path folder_;
  const LogOptions options_;
  const LogEvents events_;
  LogReader& reader_;
  LogCounters& counters_;

  mutable std::mutex mutex_;  ///< never held while the disk works
  std::condition_variable wake_;
  std::vector<LogRecord> queue_;    ///< appended, not taken yet
  std::vector<LogRecord> writing_;  ///< taken by the thread; it alone changes them
  Position written_ = 0;            ///< queue and writing_ follow after it
  Position wanted_ = 0;             ///< somebody waits for all up to here
  Vote vote_;                       ///< with the last record of the queue
  bool mark_now_ = false;           ///< the mark is to be written without waiting for the interval
  bool lost_ = false;
  bool asleep_ = false;  ///< nothing is pending: the next append must wake the thread
  Ending ending_ = Ending::kNone;
  std::optional<Error> failure_;  ///< nothing is taken or written any more

  // The thread's own.
  MarkFile& mark_;
  SegmentWriter segment_;
  std::future<Result<void>> sealing_;  ///< of the segment before
  ChainEnd end_;                       ///< of what is written
  Vote written_vote_;                  ///< with end_
  Clock::time_point interval_ends_;

  std::thread thread_;  ///< last: it uses all above
};

}  // namespace zap::store
