// The normal case: OSDI'99, 4.2. Calls arrive in bundles, the leader orders their digests, backups
// prepare and commit.
//
// We differ from the paper in that payloads travel apart from pre-prepares, that pre-prepares are
// accepted in slot order, and that a replica's own votes count only once they are durable.

#include <algorithm>
#include <utility>

#include "consensus/pbft/replica.h"
#include "core/check.h"
#include "core/limits.h"

namespace zap::pbft {

namespace {

constexpr Seq kFetchAhead = 16;         ///< slots whose calls are fetched before their turn
constexpr std::size_t kCandidates = 4;  ///< contents kept of a slot that we do not vote in

}  // namespace

void Replica::on(const Submit& submit) {
  if (submit.operations.empty()) return;
  ZAP_CHECK(submit.operations.size() <= room(), submit.operations.size()
                                                    << " calls submitted with room for " << room());
  auto proof = std::make_shared<BundleProof>();
  proof->origin = settings_.self;
  proof->incarnation = incarnation_;
  proof->first_number = next_number_;
  Bundle bundle;
  for (const Operation& operation : submit.operations) {
    const OperationId expected{settings_.self, incarnation_, next_number_++};
    ZAP_CHECK(operation.id == expected, "submitted as number " << operation.id.number << " of run "
                                                               << operation.id.incarnation);
    bundle.calls.push_back(std::make_shared<const Call>(operation));
    proof->digests.push_back(bundle.calls.back()->digest);
  }
  bundle.proof = std::move(proof);
  out_.at_once.push_back({everyone(), std::move(bundle)});
}

std::size_t Replica::room() const {
  const std::uint64_t beyond = next_number_ - ledger_.low_mark(settings_.self, incarnation_);
  return beyond + 1 < kClientWindow ? kClientWindow - 1 - beyond : 0;
}

void Replica::handle(NodeId, const Bundle& bundle) {
  for (const CallPtr& call : bundle.calls) {
    if (!ledger_.admits(call->operation.id)) continue;
    const auto& once = call->operation.once;
    if (policy_.keys_refused_at_receipt && once && ledger_.keys().find(once->key)) continue;
    if (pool_.add(call, bundle.proof, now_.instant) == Pool::Added::kConflicting) {
      accuse_origin(call->operation.id);
    }
  }
}

// ---------------------------------------------------------------- the leader

/// A slot costs every node its signatures and syncs, however few calls it orders. So an idle
/// pipeline proposes at once, and a busy one lets calls gather: they would only wait elsewhere. It
/// is busy while a slot is in flight, or the application has more than half of the last batch
/// before it; what is left of it covers the agreement on the next one.
bool Replica::should_propose() const {
  const std::size_t calls = pool_.unproposed();
  if (calls == 0) return false;
  if (calls >= settings_.batch_size) return true;
  if (in_flight() == 0 && backlog_.calls <= last_batch_ / 2) return true;
  return batch_since_ && now_.instant >= *batch_since_ + settings_.batch_timeout;
}

Seq Replica::in_flight() const {
  return next_propose_ - 1 - std::max(ledger_.last_seq(), stable_.seq);
}

void Replica::propose() {
  // First what the NEW-VIEW brought along: fresh slots follow it. And who lacks what is stable does
  // not know which of the calls that wait here were decided there.
  if (!may_vote() || next_accept_ != next_propose_ || ledger_.last_seq() < stable_.seq) return;
  while (in_window(next_propose_) && should_propose()) {
    propose_batch(pool_.take(std::min(settings_.batch_size, limits::kBatchCalls), kBatchBytes));
    batch_since_.reset();
  }
  if (pool_.unproposed() == 0) {
    batch_since_.reset();
  } else if (!batch_since_) {
    batch_since_ = now_.instant;
  }
  while (in_window(next_propose_) && next_propose_ <= granted_horizon_) propose_batch({});
}

void Replica::propose_batch(std::vector<CallPtr> calls) {
  const Seq seq = next_propose_++;
  next_accept_ = next_propose_;
  last_batch_ = calls.size();
  BatchContent content{seq, {std::max(now_.wall, ledger_.last_timestamp()), {}}, std::move(calls)};
  for (const CallPtr& call : content.calls) content.batch.calls.push_back(call->digest);

  PrePrepare message{epoch_, view_, seq, digest_of(content.batch), content.batch, {}};
  Slot& slot = slots_[seq];
  keep_content(slot, std::move(content));
  record_accepted(seq, slot, message.digest, {});
  vote(std::move(message));
}

// ---------------------------------------------------------------- pre-prepare

void Replica::handle(NodeId from, const PrePrepare& message) {
  remember_signed(from, message);
  Slot* slot = slot_for(message.seq);
  if (!slot) return;
  if (from != settings_.self) {
    if (message.view < view_ || !active_) {
      // No vote any more; but what others decide there needs its content.
      const bool lacking = !slot->decided || !slot->content(*slot->decided);
      if (lacking && slot->contents.size() < kCandidates) {
        if (auto content = gather(message.seq, message.batch)) {
          keep_content(*slot, std::move(*content));
        }
      }
    }
    std::optional<Proposal>& proposal = slot->proposal;
    const bool second = proposal && proposal->view == message.view;
    if (second && proposal->digest != message.digest) {
      accuse_voter(message.seq, from, {proposal->view, proposal->digest, proposal->signature},
                   {message.view, message.digest, message.signature});
      if (!policy_.accept_second_digest) return;
      slot->accepted.reset();
      next_accept_ = std::min(next_accept_, message.seq);
    }
    // The current view's proposal makes way for none; one of a view to come waits for its view.
    const bool occupied = proposal && proposal->view == view_ && message.view != view_;
    if (message.view >= view_ && !occupied) {
      proposal = Proposal{message.view, message.digest, message.signature, message.batch};
      // What this slot lacks is asked for now, not only when those before it are accepted.
      const bool soon = message.seq < next_accept_ + kFetchAhead;
      if (message.view == view_ && active_ && soon) assemble(message.seq, *slot, *proposal);
    }
  }
  note_prepare(message.seq, from, {message.view, message.digest, message.signature});
}

void Replica::accept_ready() {
  if (!active_ || !may_vote()) return;
  while (in_window(next_accept_)) {
    const auto slot = slots_.find(next_accept_);
    if (slot == slots_.end() || !accept(next_accept_, slot->second)) return;
    ++next_accept_;
  }
}

/// Accepts what the current leader proposed for the next slot, if everything it takes is here. A
/// slot that was decided without us needs no vote of ours.
bool Replica::accept(Seq seq, Slot& slot) {
  if (slot.accepted && slot.accepted->view == view_) return true;  // before a restart
  if (!slot.proposal || slot.proposal->view != view_) return slot.executed;
  Proposal& proposal = *slot.proposal;
  const BatchContent* content = assemble(seq, slot, proposal);
  if (!content) return false;
  const bool fresh = proposal.batch && !is_leader() && !slot.prepared && !slot.decided;
  if (fresh && !policy_.clock_unbounded && content->batch.timestamp > now_.wall + kClockTolerance) {
    return false;
  }
  if (fresh) judge_clock(content->batch.timestamp);

  pool_.unpin(seq);
  for (const CallPtr& call : content->calls) pool_.mark_proposed(call->operation.id);
  const Digest digest = proposal.digest;
  record_accepted(seq, slot, digest, proposal.signature);
  // A leader gets here with its own NEW-VIEW's entries, which that message votes for.
  if (!is_leader()) vote(Prepare{epoch_, view_, seq, digest, {}});
  check_prepared(seq, slot);
  return true;
}

/// A leader whose clock stands still would keep every deadline from passing.
void Replica::judge_clock(WallTime proposed) {
  if (proposed + kClockLag > now_.wall || settings_.fixed_leader) {
    slow_clock_since_.reset();
    clock_stands_still_ = false;
  } else if (!slow_clock_since_) {
    slow_clock_since_ = now_.instant;
  } else if (now_.instant >= *slow_clock_since_ + settings_.election_timeout) {
    clock_stands_still_ = true;  // run_timers() acts on it
  }
}

const BatchContent* Replica::assemble(Seq seq, Slot& slot, Proposal& proposal) {
  if (const BatchContent* held = slot.content(proposal.digest)) return held;
  if (slot.decided && *slot.decided != proposal.digest) return nullptr;
  if (proposal.digest == null_digest()) {
    keep_content(slot, BatchContent{seq, {}, {}});
  } else if (proposal.batch) {
    // Most of the time it is the first call lacking that is lacking still.
    const std::vector<Digest>& calls = proposal.batch->calls;
    while (proposal.present < calls.size() && pool_.find(calls[proposal.present])) {
      ++proposal.present;
    }
    auto content = proposal.present == calls.size() ? gather(seq, *proposal.batch) : std::nullopt;
    if (!content) {
      proposal.present = std::min(proposal.present, calls.size() - 1);
      pool_.pin(seq, calls);
      want(seq, {Want::What::kCalls, proposal.digest, {leader()}, now_.instant});
      return nullptr;
    }
    if (!is_acceptable(*content)) return nullptr;
    keep_content(slot, std::move(*content));
  } else {
    // A NEW-VIEW's entry: a prepared certificate stands behind it, so any copy will do.
    want(seq, {Want::What::kBatch, proposal.digest, others(), now_.instant});
    return nullptr;
  }
  return slot.content(proposal.digest);
}

std::optional<BatchContent> Replica::gather(Seq seq, const Batch& batch) const {
  BatchContent content{seq, batch, {}};
  for (const Digest& digest : batch.calls) {
    const CallPtr* call = pool_.find(digest);
    if (!call) return std::nullopt;
    content.calls.push_back(*call);
  }
  return content;
}

/// What an honest leader would propose: take() stops at the same size.
bool Replica::is_acceptable(const BatchContent& content) const {
  std::size_t bytes = 0;
  for (const CallPtr& call : content.calls) bytes += call->operation.payload.size();
  return content.calls.size() == 1 || bytes <= kBatchBytes;
}

void Replica::keep_content(Slot& slot, BatchContent content) {
  const Digest added = digest_of(content.batch);
  slot.contents.insert_or_assign(added, std::move(content));
  // Candidates that nothing refers to any more make room.
  std::erase_if(slot.contents, [&](const auto& entry) {
    const Digest& digest = entry.first;
    return digest != added && !(slot.accepted && slot.accepted->digest == digest) &&
           !(slot.prepared && slot.prepared->digest == digest) &&
           !(slot.proposal && slot.proposal->digest == digest) &&
           !(slot.to_repropose && *slot.to_repropose == digest) &&
           !(slot.decided && *slot.decided == digest);
  });
}

void Replica::record_accepted(Seq seq, Slot& slot, const Digest& digest, const Signature& leaders) {
  Accepted record{epoch_, view_, digest, *slot.content(digest), leaders};
  if (slot.in_log && slot.accepted && slot.accepted->digest == digest) record.content.calls.clear();
  record.content.seq = seq;
  slot.accepted = AcceptedMark{view_, digest, leaders};
  slot.in_log = true;
  out_.write.push_back(std::move(record));
}

void Replica::vote(Message message) {
  out_.after_write.push_back({everyone(), std::move(message)});
}

// ---------------------------------------------------------------- prepare and commit

void Replica::handle(NodeId from, const Prepare& message) {
  if (from == leader_of(message.view)) return;  // a leader's vote is its pre-prepare
  remember_signed(from, message);
  note_prepare(message.seq, from, {message.view, message.digest, message.signature});
}

void Replica::note_prepare(Seq seq, NodeId signer, SignedVote vote) {
  Slot* slot = slot_for(seq);
  if (!slot) return;
  const auto [entry, first] = slot->prepares.try_emplace(signer, vote);
  if (!first) {
    SignedVote& known = entry->second;
    if (known.view > vote.view) return;
    if (known.view == vote.view && known.digest != vote.digest) {
      accuse_voter(seq, signer, known, vote);
      if (!policy_.accept_second_digest) return;
    }
    known = vote;
  }
  check_prepared(seq, *slot);
}

void Replica::check_prepared(Seq seq, Slot& slot) {
  const bool in_view =
      (active_ && slot.accepted && slot.accepted->view == view_) || policy_.vote_after_leaving_view;
  if (!in_view || !may_vote() || !slot.accepted) return;
  if (slot.prepared && slot.prepared->view >= slot.accepted->view) return;
  if (!slot.is_prepared(leader_of(slot.accepted->view), quorum(),
                        !policy_.count_messages_not_values)) {
    return;
  }
  slot.prepared = slot.certificate(epoch_, seq);
  out_.write.push_back(*slot.prepared);
  vote(Commit{epoch_, slot.accepted->view, seq, slot.accepted->digest});
}

/// A certificate takes q - 1 prepares, and n - 1 replicas send one. What contradicts it is
/// evidence.
bool Replica::is_superfluous(const Message& message) const {
  const auto* prepare = std::get_if<Prepare>(&message);
  if (!prepare) return false;
  const auto slot = slots_.find(prepare->seq);
  if (slot == slots_.end() || !slot->second.prepared) return false;
  const Certificate& certificate = *slot->second.prepared;
  return certificate.epoch == prepare->epoch && certificate.view == prepare->view &&
         certificate.digest == prepare->digest;
}

void Replica::handle(NodeId from, const Commit& message) {
  Slot* slot = slot_for(message.seq);
  if (!slot) return;
  const auto [entry, first] =
      slot->commits.try_emplace(from, CommitVote{message.view, message.digest});
  if (!first) {
    if (entry->second.view >= message.view) return;
    entry->second = {message.view, message.digest};
  }
  check_committed(*slot);
}

void Replica::check_committed(Slot& slot) {
  if (slot.decided) return;
  if (const auto committed = slot.committed(quorum(), !policy_.count_messages_not_values)) {
    slot.decided = committed->digest;
    slot.decided_view = committed->view;
  } else if (const auto told = slot.told(
                 policy_.believe_one_word ? 1 : settings_.membership.quorum().one_correct())) {
    slot.decided = *told;
    slot.decided_view = view_;
  }
}

Slot* Replica::slot_for(Seq seq) {
  const Seq executed = ledger_.last_seq();
  const bool collected = seq <= std::min(executed, stable_.seq);
  const bool missing = seq > executed && seq <= executed + kWindow;
  const bool current = seq > stable_.seq && seq <= stable_.seq + 2 * kWindow;
  return !collected && (missing || current) ? &slots_[seq] : nullptr;
}

}  // namespace zap::pbft
