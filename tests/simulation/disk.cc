#include "tests/simulation/disk.h"

#include <algorithm>
#include <cstring>

namespace zap::simulation {

using pbft::Accepted;
using pbft::BatchContent;
using pbft::Certificate;
using pbft::Decided;
using pbft::NewView;
using pbft::Record;
using pbft::ViewChange;

namespace {

/// The record's batch with its calls, where it has them.
const BatchContent* content_of(const Record& record) {
  const BatchContent* content = nullptr;
  if (const auto* accepted = std::get_if<Accepted>(&record)) content = &accepted->content;
  if (const auto* decided = std::get_if<Decided>(&record)) content = &decided->content;
  if (content && content->calls.size() != content->batch.calls.size()) return nullptr;
  return content;
}

/// Where the vote that `record` allows stands.
pbft::LostVote vote_of(const Record& record) {
  if (const auto* accepted = std::get_if<Accepted>(&record)) {
    return {accepted->view, accepted->content.seq};
  }
  if (const auto* prepared = std::get_if<Certificate>(&record)) {
    return {prepared->view, prepared->seq};
  }
  if (const auto* change = std::get_if<ViewChange>(&record)) return {change->view, 0};
  if (const auto* view = std::get_if<NewView>(&record)) {
    return {view->view, view->reproposals.empty() ? 0 : view->reproposals.back().seq};
  }
  return {};
}

}  // namespace

Disk::Disk(DiskFaults faults, Scheduler& scheduler, Random random)
    : faults_(faults), scheduler_(scheduler), random_(random) {}

void Disk::append(std::vector<Record> records) {
  for (Record& record : records) {
    records_.push_back(std::move(record));
    index(records_.size() - 1);
  }
}

void Disk::sync(std::function<void(LogPosition)> done) {
  waiting_.push_back(std::move(done));
  if (!syncing_) begin_sync();
}

void Disk::begin_sync() {
  syncing_ = true;
  Duration cost = random_.between(faults_.sync_min, faults_.sync_max);
  if (random_.chance(faults_.slow)) cost *= 100;
  scheduler_.after(
      cost, [this, run = run_, covered = records_.size(), reporting = std::move(waiting_)] {
        if (run != run_) return;
        syncing_ = false;
        write_mark_if_due();
        for (; durable_ < covered; ++durable_) {
          const pbft::LostVote vote = vote_of(records_[durable_]);
          newest_ = {std::max(newest_.view, vote.view), std::max(newest_.seq, vote.seq)};
        }
        if (!waiting_.empty()) begin_sync();
        for (const auto& done : reporting) {
          if (run == run_) done(covered);
        }
      });
  waiting_.clear();
}

void Disk::write_mark_if_due() {
  if (scheduler_.now() < mark_due_) return;
  mark_due_ = scheduler_.now() + std::chrono::milliseconds(100);
  mark_ = {durable_, newest_};
}

std::optional<pbft::LostVote> Disk::lost_vote() const {
  if (records_.size() >= mark_.position) return std::nullopt;
  return mark_.vote;
}

void Disk::crash() {
  ++run_;
  syncing_ = false;
  waiting_.clear();
  truncate(durable_ + random_.below(records_.size() - durable_ + 1));
  for (; durable_ < records_.size(); ++durable_) {
    const pbft::LostVote vote = vote_of(records_[durable_]);
    newest_ = {std::max(newest_.view, vote.view), std::max(newest_.seq, vote.seq)};
  }
}

void Disk::lose_from(LogPosition position) { truncate(std::min(position, size())); }

bool Disk::flip() {
  if (decided_.empty()) return false;
  auto slot = decided_.begin();
  std::advance(slot, static_cast<long>(random_.below(decided_.size())));
  auto& decided = std::get<Decided>(records_[slot->second]);
  switch (random_.below(3)) {
    case 0:
      decided.chain.bytes[random_.below(decided.chain.bytes.size())] ^= 1;
      break;
    case 1:
      decided.digest.bytes[random_.below(decided.digest.bytes.size())] ^= 1;
      break;
    case 2:
      decided.content.batch.timestamp ^= 1;
      break;
  }
  return is_corrupt_ = true;
}

void Disk::truncate(LogPosition size) {
  if (size == records_.size()) return;
  records_.resize(size);
  durable_ = std::min(durable_, size);
  basis_.clear();
  contents_.clear();
  decided_.clear();
  for (LogPosition position = 0; position < size; ++position) index(position);
}

std::uint64_t Disk::key(Basis basis, View view, Seq seq, const Digest& digest) {
  std::uint64_t low;
  std::memcpy(&low, digest.bytes.data(), sizeof low);
  return scrambled(scrambled(scrambled(static_cast<std::uint64_t>(basis) + 8 * view) + seq) ^ low);
}

void Disk::remember(Basis basis, View view, Seq seq, const Digest& digest, LogPosition position) {
  basis_.emplace(key(basis, view, seq, digest), position);
}

void Disk::index(LogPosition position) {
  const Record& record = records_[position];
  if (const BatchContent* content = content_of(record)) contents_[content->seq].push_back(position);
  if (const auto* accepted = std::get_if<Accepted>(&record)) {
    remember(Basis::kAccepted, accepted->view, accepted->content.seq, accepted->digest, position);
  } else if (const auto* prepared = std::get_if<Certificate>(&record)) {
    remember(Basis::kPrepared, prepared->view, prepared->seq, prepared->digest, position);
  } else if (const auto* decided = std::get_if<Decided>(&record)) {
    remember(Basis::kDecided, 0, decided->content.seq, Digest{}, position);
    decided_[decided->content.seq] = position;
  } else if (const auto* change = std::get_if<ViewChange>(&record)) {
    remember(Basis::kViewChange, change->view, 0, Digest{}, position);
  } else if (const auto* view = std::get_if<NewView>(&record)) {
    remember(Basis::kNewView, view->view, 0, Digest{}, position);
  }
}

bool Disk::holds(Basis basis, View view, Seq seq, const Digest& digest) const {
  const auto found = basis_.find(key(basis, view, seq, digest));
  return found != basis_.end() && found->second < durable_;
}

Digest Disk::decided_digest(Seq seq) const {
  return std::get<Decided>(records_[decided_.at(seq)]).digest;
}

std::vector<BatchContent> Disk::decided(Seq first, Seq last, std::size_t count) const {
  std::vector<BatchContent> contents;
  for (Seq seq = first; seq <= last && contents.size() < count; ++seq) {
    const auto slot = decided_.find(seq);
    if (slot == decided_.end()) break;
    const auto& decided = std::get<Decided>(records_[slot->second]);
    const auto with_calls = contents_.find(seq);
    if (with_calls == contents_.end()) break;
    const auto same = std::find_if(
        with_calls->second.begin(), with_calls->second.end(), [&](LogPosition position) {
          return content_of(records_[position])->batch == decided.content.batch;
        });
    if (same == with_calls->second.end()) break;
    contents.push_back(*content_of(records_[*same]));
  }
  return contents;
}

}  // namespace zap::simulation
