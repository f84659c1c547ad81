#include "proxy/log/log_keeper.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include "core/check.h"
#include "core/limits.h"
#include "proxy/log/log_serving.h"
#include "proxy/log/stored_record.h"

namespace zap {
namespace {

/// Applications that are behind at different places; more share, and read again from the start.
constexpr std::size_t kCursors = 4;

}  // namespace

/// Reads the log at the start: into a Restorer, and into what must be written again.
class LogKeeper::Replay {
 public:
  explicit Replay(const ClusterId& cluster) : restorer_(cluster) {}

  Result<void> add(const store::StoredRecord& stored) {
    Result<Record> record = from_log_record(stored.record);
    if (!record) return at(stored.position, record.error());
    note(stored, *record);
    const Result<std::optional<Decision>> added = restorer_.add(std::move(*record));
    if (!added) return at(stored.position, added.error());
    return {};
  }

  /// What the replica starts with. Call once.
  pbft::Restored take_restored(const store::Log& log) {
    std::optional<pbft::LostVote> lost;
    if (const auto vote = log.lost()) lost = {vote->view, vote->seq};
    return std::move(restorer_).finish(log.incarnation(), lost);
  }

  /// From here on lies all that the replica's votes rest on, but for view_record().
  store::Position rewrite_from(store::Position end) const {
    store::Position from = std::min(end, stable_position_);
    for (const auto& [seq, position] : first_of_slot_) from = std::min(from, position);
    return from;
  }

  /// The newest view change or new view: may be far behind the rest.
  const std::optional<store::StoredRecord>& view_record() const { return view_record_; }

  store::Vote vote() const { return vote_; }

 private:
  void note(const store::StoredRecord& stored, const Record& record) {
    const store::Vote vote = vote_of(record);
    vote_ = {std::max(vote_.view, vote.view), std::max(vote_.seq, vote.seq)};
    if (const auto* stable = std::get_if<pbft::StableCheckpoint>(&record)) {
      stable_ = stable->seq;
      stable_position_ = stored.position;
      first_of_slot_.erase(first_of_slot_.begin(), first_of_slot_.upper_bound(stable_));
    } else if (slot_of(record) > stable_) {
      first_of_slot_.emplace(slot_of(record), stored.position);
    } else if (slot_of(record) == 0 && !std::holds_alternative<pbft::Founding>(record)) {
      view_record_ = stored;
    }
  }

  static Error at(store::Position position, const Error& error) {
    return {error.code, "record " + std::to_string(position) + " of the log: " + error.message};
  }

  pbft::Restorer restorer_;
  Seq stable_ = 0;
  store::Position stable_position_ = std::numeric_limits<store::Position>::max();
  std::map<Seq, store::Position> first_of_slot_;  ///< above stable_
  std::optional<store::StoredRecord> view_record_;
  store::Vote vote_;
};

Result<std::unique_ptr<LogKeeper>> LogKeeper::open(EventLoop& loop,
                                                   const std::filesystem::path& path,
                                                   store::LogOptions options, Events events) {
  const ClusterId cluster = options.cluster;
  Replay replay(cluster);
  Result<std::unique_ptr<store::Log>> log =
      store::Log::open(path, std::move(options),
                       [&](const store::StoredRecord& stored) { return replay.add(stored); });
  if (!log) return log.error();
  pbft::Restored restored = replay.take_restored(**log);
  std::unique_ptr<LogKeeper> keeper(
      new LogKeeper(loop, cluster, std::move(events), std::move(*log), std::move(restored)));
  const Result<void> started = keeper->start(replay);
  if (!started) return started.error();
  return keeper;
}

LogKeeper::LogKeeper(EventLoop& loop, ClusterId cluster, Events events,
                     std::unique_ptr<store::Log> log, pbft::Restored restored)
    : loop_(loop),
      cluster_(std::move(cluster)),
      events_(std::move(events)),
      log_(std::move(log)),
      restored_(std::move(restored)) {}

LogKeeper::~LogKeeper() = default;

Result<void> LogKeeper::start(const Replay& replay) {
  const store::Position from = replay.rewrite_from(log_->last_position() + 1);
  const auto& view_record = replay.view_record();
  const bool view_is_behind = view_record && view_record->position < from;
  read_ = log_->last_position();
  Result<void> started = log_->start(
      from, replay.vote(),
      {.on_durable =
           [this](store::Position position) {
             if (position <= read_) return;
             loop_.post([this, position] { events_.durable(position - read_); });
           },
       .on_failed =
           [this](const Error& error) { loop_.post([this, error] { events_.failed(error); }); }});
  if (!started) return started;
  // After a failed sync the page cache may hold what the disk does not: the view, too, is durable
  // once more before a vote rests on it, for the driver counts this record.
  if (view_is_behind) {
    log_->append({view_record->record}, replay.vote());
    ++appended_;
  }
  reader_ = std::make_unique<Worker>(limits::kLogReadsWaiting);
  return {};
}

pbft::Restored LogKeeper::take_restored() {
  ZAP_CHECK(restored_, "taken before");
  pbft::Restored restored = std::move(*restored_);
  restored_.reset();
  return restored;
}

void LogKeeper::append(const std::vector<Record>& records) {
  std::vector<store::LogRecord> stored;
  store::Vote vote;
  for (const Record& record : records) {
    stored.push_back(to_log_record(record));
    const store::Vote next = vote_of(record);
    vote = {std::max(vote.view, next.view), std::max(vote.seq, next.seq)};
  }
  appended_ += stored.size();
  log_->append(std::move(stored), vote);
}

void LogKeeper::sync() { log_->sync(); }

void LogKeeper::admit_loss(View view) { log_->admit_loss({.view = view, .seq = 0}); }

void LogKeeper::votes_again() { log_->forgive_loss(); }

Result<void> LogKeeper::close() {
  reader_.reset();
  return log_->close();
}

void LogKeeper::serve(const Serve& request, Answer answer) {
  std::size_t& waiting = serving_[request.to];
  if (waiting >= limits::kLogReadsPerPeer) return;
  const bool taken = reader_->post([this, request, answer = std::move(answer)] {
    loop_.post([this, to = request.to, answer, message = answer_from_log(*log_, request)] {
      --serving_[to];
      answer(message);
    });
  });
  if (taken) ++waiting;
}

void LogKeeper::read_decisions(Index first, std::size_t bytes,
                               std::function<void(Result<Decisions>)> done) {
  const bool taken = reader_->post([this, first, bytes, done] {
    loop_.post([done, read = decisions(first, bytes)] { done(read); });
  });
  if (!taken) loop_.post([done] { done(Decisions{}); });
}

Result<LogKeeper::Decisions> LogKeeper::decisions(Index first, std::size_t bytes) {
  auto nearest = cursors_.end();
  for (auto cursor = cursors_.begin(); cursor != cursors_.end(); ++cursor) {
    if (cursor->next() > first) continue;
    if (nearest == cursors_.end() || cursor->next() > nearest->next()) nearest = cursor;
  }
  if (nearest == cursors_.end()) {
    if (cursors_.size() == kCursors) cursors_.pop_back();
    cursors_.emplace_front(*log_, cluster_);
  } else {
    cursors_.splice(cursors_.begin(), cursors_, nearest);
  }
  Result<Decisions> read = cursors_.front().read(first, bytes);
  if (!read) cursors_.pop_front();
  return read;
}

}  // namespace zap
