// Decided slots, in order: execution, checkpoints, and the window that stable ones move
// (OSDI'99, 4.3).

#include <algorithm>
#include <utility>

#include "consensus/pbft/replica.h"
#include "core/check.h"

namespace zap::pbft {

namespace {

/// Checkpoints kept of each signer above the stable one: of a replica that is ahead, the newest
/// tell; of a liar, no more than these.
constexpr std::size_t kCheckpointsPerSigner = 4;

}  // namespace

void Replica::execute_ready() {
  for (;;) {
    const Seq seq = ledger_.last_seq() + 1;
    const auto found = slots_.find(seq);
    if (found == slots_.end() || !found->second.decided) return;
    Slot& slot = found->second;
    const Digest digest = *slot.decided;
    if (!slot.content(digest)) {
      if (digest == null_digest()) {
        keep_content(slot, BatchContent{seq, {}, {}});
      } else if (auto content =
                     slot.proposal && slot.proposal->digest == digest && slot.proposal->batch
                         ? gather(seq, *slot.proposal->batch)
                         : std::nullopt) {
        keep_content(slot, std::move(*content));
      } else {
        want_decided(seq, slot);
        return;
      }
    }

    const BatchContent& content = *slot.content(digest);
    if (policy_.keys_age_by_own_clock) ledger_.set_rules(policy_.rules(now_.wall));
    out_.decided.push_back(
        ledger_.execute(seq, slot.decided_view, content.batch.timestamp, content.calls));
    Decided record{slot.decided_view,    digest,         content, ledger_.last_timestamp(),
                   ledger_.last_index(), ledger_.chain()};
    if (slot.in_log && slot.accepted && slot.accepted->digest == digest) {
      record.content.calls.clear();
    }
    out_.write.push_back(std::move(record));
    for (const CallPtr& call : content.calls) {
      const OperationId& id = call->operation.id;
      const auto since = pool_.decided(id);
      if (since && id.origin == settings_.self) {
        pace_.decided(now_.instant - std::max(*since, timers_since_));
      }
    }
    slot.executed = true;
    wants_.erase(seq);
    if (active_ && slot.decided_view == view_) progress_in_view();
    if (seq % kCheckpointInterval == 0) take_checkpoint();
    if (seq <= stable_.seq) slots_.erase(seq);
  }
}

void Replica::take_checkpoint() {
  const Seq seq = ledger_.last_seq();
  Digest digest = checkpoint_digest(ledger_.digest(), epoch_, settings_.membership.digest());
  if (policy_.checkpoint_covers_view) {
    digest = Hasher("zap checkpoint").add(digest).add(settings_.self).finish();
  }
  if (seq <= stable_.seq) {
    ZAP_CHECK(seq != stable_.seq || digest == stable_.digest,
              "a quorum signed checkpoint " << seq << " as " << stable_.digest.hex(8)
                                            << ", ours is " << digest.hex(8));
    return;
  }
  own_checkpoints_[seq] = digest;
  if (policy_.collect_before_stable) {
    make_stable({epoch_, seq, digest, {}});
  } else if (may_vote()) {
    vote(Checkpoint{epoch_, seq, digest, {}});
  }
}

void Replica::handle(NodeId from, const Checkpoint& message) {
  if (message.seq <= stable_.seq || message.seq % kCheckpointInterval != 0) return;
  remember_signed(from, message);
  std::map<Seq, Checkpoint>& of_signer = checkpoints_[from];
  const auto [known, first] = of_signer.try_emplace(message.seq, message);
  if (!first) {
    if (known->second.digest != message.digest) {
      accuse(from, "signed two states at one checkpoint", message.seq, {known->second, message});
    }
    return;
  }
  if (of_signer.size() > kCheckpointsPerSigner) of_signer.erase(of_signer.begin());

  StableCheckpoint proof{epoch_, message.seq, message.digest, {}};
  for (const auto& [signer, checkpoints] : checkpoints_) {
    const auto found = checkpoints.find(message.seq);
    if (found != checkpoints.end() && found->second.digest == message.digest) {
      proof.votes.push_back({signer, found->second.signature});
    }
  }
  if (proof.votes.size() >= quorum()) make_stable(proof);
}

void Replica::handle(NodeId, const StableCheckpoint& message) { make_stable(message); }

/// Moves the window. The log is first in, first out: whatever this replica votes for in the new
/// window is durable only after the proof is.
void Replica::make_stable(const StableCheckpoint& proof) {
  if (proof.seq <= stable_.seq) return;
  const auto own = own_checkpoints_.find(proof.seq);
  ZAP_CHECK(own == own_checkpoints_.end() || own->second == proof.digest,
            "a quorum signed checkpoint " << proof.seq << " as " << proof.digest.hex(8)
                                          << ", ours is " << own->second.hex(8));
  stable_ = proof;
  out_.write.push_back(stable_);
  notice(Notice::Kind::kStable, {}, stable_.seq);

  // What is executed, and, far behind, what lies too far ahead to be executed from here.
  const auto collect = [this](auto& slots) {
    const Seq executed = ledger_.last_seq();
    slots.erase(slots.begin(), slots.upper_bound(std::min(stable_.seq, executed)));
    if (stable_.seq > executed + kWindow) {
      slots.erase(slots.upper_bound(executed + kWindow), slots.upper_bound(stable_.seq));
    }
  };
  collect(slots_);
  collect(wants_);
  own_checkpoints_.erase(own_checkpoints_.begin(), own_checkpoints_.upper_bound(stable_.seq));
  for (auto& [signer, checkpoints] : checkpoints_) {
    checkpoints.erase(checkpoints.begin(), checkpoints.upper_bound(stable_.seq));
  }
  next_accept_ = std::max(next_accept_, stable_.seq + 1);
  next_propose_ = std::max(next_propose_, stable_.seq + 1);
}

}  // namespace zap::pbft
