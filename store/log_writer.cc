#include "store/log_writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace zap::store {

LogWriter::LogWriter(std::filesystem::path folder, const LogOptions& options, LogEvents events,
                     LogReader& reader, MarkFile& mark, LogCounters& counters,
                     SegmentWriter segment, ChainEnd end, Vote vote)
    : folder_(std::move(folder)),
      options_(options),
      events_(std::move(events)),
      reader_(reader),
      counters_(counters),
      written_(end.position),
      wanted_(end.position),
      vote_(vote),
      lost_(mark.mark().lost),
      mark_(mark),
      segment_(std::move(segment)),
      end_(end),
      written_vote_(vote),
      interval_ends_(Clock::now() + options.interval),
      thread_([this] { run(); }) {}

LogWriter::~LogWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = Ending::kAbandoned;
  }
  wake_.notify_one();
  thread_.join();
}

// ---------------------------------------------------------------- the owner's side

void LogWriter::append(std::vector<LogRecord> records, Vote vote) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return;
    std::move(records.begin(), records.end(), std::back_inserter(queue_));
    vote_.view = std::max(vote_.view, vote.view);
    vote_.seq = std::max(vote_.seq, vote.seq);
    wake = std::exchange(asleep_, false);
  }
  if (wake) wake_.notify_one();
}

void LogWriter::sync() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = written_ + writing_.size() + queue_.size();
  }
  wake_.notify_one();
}

void LogWriter::admit_loss(Vote vote) {
  {
    const std::lock_guard lock(mutex_);
    lost_ = true;
    mark_now_ = true;
    vote_.view = std::max(vote_.view, vote.view);
    vote_.seq = std::max(vote_.seq, vote.seq);
  }
  wake_.notify_one();
}

void LogWriter::forgive_loss() {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    lost_ = false;
    wake = std::exchange(asleep_, false);
  }
  if (wake) wake_.notify_one();
}

Result<void> LogWriter::close() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = Ending::kClean;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  if (failure_) return *failure_;
  return {};
}

Position LogWriter::last_position() const {
  const std::lock_guard lock(mutex_);
  return written_ + writing_.size() + queue_.size();
}

LogWriter::Queued LogWriter::queued() {
  const std::lock_guard lock(mutex_);
  Queued queued{.written = written_};
  Position position = written_;
  for (const std::vector<LogRecord>* part : {&writing_, &queue_}) {
    for (const LogRecord& record : *part) queued.records.push_back({++position, record});
  }
  return queued;
}

// ---------------------------------------------------------------- the storage thread

void LogWriter::run() {
  Result<void> done;
  for (Ending ending = Ending::kNone; done && ending == Ending::kNone;) {
    bool mark_now = false;
    {
      std::unique_lock lock(mutex_);
      wait(lock);
      ending = ending_;
      if (ending == Ending::kAbandoned) return;
      writing_ = std::move(queue_);
      queue_.clear();
      written_vote_ = vote_;
      mark_now = std::exchange(mark_now_, false);
    }
    done = write_group();
    if (done && ending == Ending::kNone && (mark_now || Clock::now() >= interval_ends_)) {
      done = end_interval();
    }
  }
  if (done) done = finish();
  if (!done) fail(done.error());
}

void LogWriter::wait(std::unique_lock<std::mutex>& lock) {
  const auto urgent = [this] {
    return wanted_ > written_ || mark_now_ || ending_ != Ending::kNone;
  };
  while (!urgent()) {
    const bool mark_is_old = mark_.mark().position != end_.position || mark_.mark().lost != lost_;
    if (!queue_.empty() || mark_is_old) {
      if (!wake_.wait_until(lock, interval_ends_, urgent)) return;
    } else {
      asleep_ = true;
      wake_.wait(lock, [&] { return !asleep_ || urgent(); });
      asleep_ = false;
      interval_ends_ = Clock::now() + options_.interval;
    }
  }
}

Result<void> LogWriter::write_group() {
  if (writing_.empty()) return {};
  if (segment_.bytes() > options_.max_segment_bytes) {
    Result<void> begun = begin_next_segment();
    if (!begun) return begun;
  }
  Result<void> written = write_records();
  if (!written) return written;
  {
    const std::lock_guard lock(mutex_);
    writing_.clear();
    written_ = end_.position;
  }
  events_.on_durable(end_.position);
  return options_.sync_mode == SyncMode::kAlways ? segment_.make_room() : Result<void>();
}

Result<void> LogWriter::write_records() {
  Result<void> done = segment_.begin();
  for (auto record = writing_.begin(); done && record != writing_.end(); ++record) {
    const ChainedRecord chained{end_.position + 1, end_.hash, *record};
    done = segment_.insert(chained);
    end_ = {chained.position, hash_of(chained)};
    reader_.note(chained.position, record->seq);
    counters_.bytes += record->body.size();
  }
  if (done) done = segment_.commit();
  counters_.records += writing_.size();
  ++counters_.commits;
  if (options_.sync_mode == SyncMode::kAlways) ++counters_.syncs;
  return done;
}

Result<void> LogWriter::begin_next_segment() {
  Result<void> done = wait_for_sealing();
  if (done && options_.sync_mode == SyncMode::kBatch) done = sync_segment();
  if (!done) return done;
  const SegmentHeader header{options_.cluster, end_.position + 1, end_.hash};
  Result<SegmentWriter> next = SegmentWriter::create(folder_, header, options_.sync_mode);
  if (!next) return next.error();
  reader_.extend(header.first);
  ++counters_.segments;
  sealing_ = std::async(std::launch::async,
                        [full = std::move(segment_)]() mutable { return std::move(full).seal(); });
  segment_ = std::move(*next);
  return {};
}

Result<void> LogWriter::wait_for_sealing() {
  if (!sealing_.valid()) return {};
  Result<void> sealed = sealing_.get();
  if (!sealed && sealed.error().code != ErrorCode::kUnavailable) return sealed;
  return {};
}

Result<void> LogWriter::sync_segment() {
  ++counters_.syncs;
  return segment_.sync();
}

Result<void> LogWriter::end_interval() {
  interval_ends_ = Clock::now() + options_.interval;
  if (options_.sync_mode == SyncMode::kBatch && mark_.mark().position != end_.position) {
    Result<void> synced = sync_segment();
    if (!synced) return synced;
  }
  return write_mark(/*clean=*/false);
}

Result<void> LogWriter::finish() {
  Result<void> done = wait_for_sealing();
  if (done && options_.sync_mode != SyncMode::kAlways) done = sync_segment();
  if (!done) return done;
  Result<void> sealed = std::move(segment_).seal();
  if (!sealed && sealed.error().code != ErrorCode::kUnavailable) return sealed;
  return write_mark(/*clean=*/true);
}

Result<void> LogWriter::write_mark(bool clean) {
  Mark mark = mark_.mark();
  mark.position = end_.position;
  mark.chain = end_.hash;
  mark.vote = written_vote_;
  mark.clean = clean;
  {
    const std::lock_guard lock(mutex_);
    mark.lost = lost_;
  }
  if (mark == mark_.mark()) return {};
  ++counters_.mark_writes;
  return mark_.write(mark);
}

void LogWriter::fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    failure_ = error;
    queue_.clear();
  }
  events_.on_failed(error);
}

}  // namespace zap::store
