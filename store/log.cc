#include "store/log.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "core/check.h"
#include "store/chain.h"
#include "store/files.h"
#include "store/log_reader.h"
#include "store/log_writer.h"
#include "store/segment.h"

namespace zap::store {
namespace {

std::string boot_id_of_this_machine() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot_id;
  file >> boot_id;
  return boot_id;
}

bool matches(const LogQuery& query, const StoredRecord& stored) {
  return stored.position >= query.from && stored.record.seq >= query.first_seq &&
         stored.record.seq <= query.last_seq && (query.kinds >> stored.record.kind & 1) != 0;
}

}  // namespace

class Log::State {
 public:
  State(std::filesystem::path path, LogOptions options, MarkFile mark)
      : path_(std::move(path)),
        options_(std::move(options)),
        mark_(std::move(mark)),
        reader_(path_) {}

  Result<void> read_all(const Visitor& visit);
  Result<void> raise_incarnation();
  Result<void> start(Position rewrite_from, Vote vote, LogEvents events);
  Result<std::vector<StoredRecord>> read(const LogQuery& query);

  const std::filesystem::path path_;
  const LogOptions options_;
  LogCounters counters_;
  MarkFile mark_;
  LogReader reader_;
  ChainEnd read_end_;  ///< of what open() found
  Incarnation incarnation_ = 0;
  std::optional<Vote> lost_;
  std::unique_ptr<LogWriter> writer_;  ///< once started; it uses all above

 private:
  Result<ChainEnd> chain_before(Position position);
  Result<void> seal_all();
  Result<void> copy(Position from, SegmentWriter& into);
  Result<void> remove_superseded(Position first);
};

Result<void> Log::State::read_all(const Visitor& visit) {
  const Mark& mark = mark_.mark();
  const auto check = [&](const ChainedRecord& record, const Digest& hash) -> Result<void> {
    if (record.position == mark.position && hash != mark.chain) {
      return Error{ErrorCode::kCorrupt,
                   path_.string() + ": record " + std::to_string(record.position) +
                       " is not the one that the vote mark remembers; a log is never restored "
                       "from a backup: give this node a new identity with `members replace`"};
    }
    return visit({record.position, record.record});
  };
  const Result<ChainEnd> end = reader_.scan(options_.cluster, check);
  if (!end) return end.error();
  read_end_ = *end;
  return {};
}

Result<void> Log::State::raise_incarnation() {
  Mark mark = mark_.mark();
  const std::string boot_id =
      options_.boot_id.empty() ? boot_id_of_this_machine() : options_.boot_id;
  const bool shorter = read_end_.position < mark.position;
  const bool unsynced =
      mark.sync_mode != SyncMode::kAlways && !mark.clean && mark.boot_id != boot_id;
  mark.lost = mark.lost || shorter || unsynced;
  if (mark.lost) lost_ = mark.vote;
  if (shorter) {
    mark.position = read_end_.position;
    mark.chain = read_end_.hash;
  }
  incarnation_ = ++mark.incarnation;
  mark.boot_id = boot_id;
  mark.sync_mode = options_.sync_mode;
  mark.clean = false;
  return mark_.write_both(mark);
}

Result<void> Log::State::start(Position rewrite_from, Vote vote, LogEvents events) {
  ZAP_CHECK(!writer_, "the log was started before");
  ZAP_CHECK(rewrite_from >= 1 && rewrite_from <= read_end_.position + 1,
            "rewriting from " << rewrite_from << ", the log ends at " << read_end_.position);
  Result<void> sealed = seal_all();
  if (!sealed) return sealed;
  const Result<ChainEnd> before = chain_before(rewrite_from);
  if (!before) return before.error();
  Result<SegmentWriter> segment = SegmentWriter::create(
      path_, {options_.cluster, rewrite_from, before->hash}, options_.sync_mode,
      [&](SegmentWriter& unborn) { return copy(rewrite_from, unborn); });
  if (!segment) return segment.error();
  ++counters_.segments;
  ++counters_.syncs;
  Result<void> removed = remove_superseded(rewrite_from);
  if (!removed) return removed;
  reader_.replace_from(rewrite_from);

  const Vote marked = mark_.mark().vote;
  vote = {std::max(vote.view, marked.view), std::max(vote.seq, marked.seq)};
  writer_ = std::make_unique<LogWriter>(path_, options_, std::move(events), reader_, mark_,
                                        counters_, std::move(*segment), read_end_, vote);
  return {};
}

/// What a crash left in write-ahead logs moves into the files.
Result<void> Log::State::seal_all() {
  const Result<std::vector<Position>> segments = list_segments(path_);
  if (!segments) return segments.error();
  for (const Position first : *segments) {
    const std::filesystem::path file = path_ / segment_name(first);
    if (!std::filesystem::exists(file.string() + "-wal")) continue;
    Result<SegmentWriter> segment = SegmentWriter::open(file, SyncMode::kAlways);
    if (!segment) return segment.error();
    Result<void> sealed = std::move(*segment).seal();
    if (!sealed) return sealed;
  }
  return {};
}

Result<ChainEnd> Log::State::chain_before(Position position) {
  if (position > read_end_.position) return read_end_;
  const Result<LogReader::Found> next = reader_.read({.from = position}, position);
  if (!next) return next.error();
  ZAP_CHECK(next->records.size() == 1, "record " << position << " was there at open()");
  return ChainEnd{position - 1, next->records.front().previous};
}

Result<void> Log::State::copy(Position from, SegmentWriter& into) {
  while (from <= read_end_.position) {
    const Result<LogReader::Found> some = reader_.read({.from = from}, read_end_.position);
    if (!some) return some.error();
    ZAP_CHECK(!some->records.empty(), "record " << from << " was there at open()");
    for (const ChainedRecord& record : some->records) {
      Result<void> inserted = into.insert(record);
      if (!inserted) return inserted;
      from = record.position + 1;
    }
  }
  return {};
}

Result<void> Log::State::remove_superseded(Position first) {
  const Result<std::vector<Position>> segments = list_segments(path_);
  if (!segments) return segments.error();
  for (const Position later : *segments) {
    if (later <= first) continue;
    Result<void> removed = remove_segment(path_, later);
    if (!removed) return removed;
  }
  return sync_folder(path_);
}

Result<std::vector<StoredRecord>> Log::State::read(const LogQuery& query) {
  const LogWriter::Queued queued =
      writer_ ? writer_->queued() : LogWriter::Queued{.written = read_end_.position};
  Result<LogReader::Found> on_disk = reader_.read(query, queued.written);
  if (!on_disk) return on_disk.error();

  std::vector<StoredRecord> found;
  std::size_t bytes = 0;
  for (ChainedRecord& record : on_disk->records) {
    bytes += record.record.body.size();
    found.push_back({record.position, std::move(record.record)});
  }
  if (on_disk->full) return found;
  for (const StoredRecord& record : queued.records) {
    if (!matches(query, record)) continue;
    bytes += record.record.body.size();
    if (bytes > query.max_bytes && !found.empty()) break;
    found.push_back(record);
  }
  return found;
}

// ---------------------------------------------------------------- the door

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(const std::filesystem::path& path, LogOptions options,
                                       const Visitor& visit) {
  Result<MarkFile> mark = MarkFile::open(path);
  if (!mark) return mark.error();
  if (mark->mark().cluster != cluster_digest(options.cluster)) {
    return Error{ErrorCode::kInvalid, "the log in " + path.string() +
                                          " is of another cluster than " + options.cluster +
                                          "; give each node a folder of its own"};
  }
  auto state = std::make_unique<State>(path, std::move(options), std::move(*mark));
  Result<void> done = state->read_all(visit);
  if (done) done = state->raise_incarnation();
  if (!done) return done.error();
  return std::unique_ptr<Log>(new Log(std::move(state)));
}

Incarnation Log::incarnation() const { return state_->incarnation_; }
std::optional<Vote> Log::lost() const { return state_->lost_; }
const LogCounters& Log::counters() const { return state_->counters_; }

Position Log::last_position() const {
  return state_->writer_ ? state_->writer_->last_position() : state_->read_end_.position;
}

Result<void> Log::start(Position rewrite_from, Vote vote, LogEvents events) {
  return state_->start(rewrite_from, vote, std::move(events));
}

void Log::append(std::vector<LogRecord> records, Vote vote) {
  state_->writer_->append(std::move(records), vote);
}

void Log::sync() { state_->writer_->sync(); }

Result<std::vector<StoredRecord>> Log::read(const LogQuery& query) { return state_->read(query); }

void Log::admit_loss(Vote vote) { state_->writer_->admit_loss(vote); }

void Log::forgive_loss() { state_->writer_->forgive_loss(); }

Result<void> Log::close() { return state_->writer_->close(); }

}  // namespace zap::store
