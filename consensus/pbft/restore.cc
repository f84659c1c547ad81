#include "consensus/pbft/restore.h"

#include <algorithm>
#include <string>
#include <utility>

namespace zap::pbft {

namespace {

Error corrupt(Seq seq, const std::string& what) {
  return {ErrorCode::kCorrupt, "slot " + std::to_string(seq) + " " + what};
}

}  // namespace

Restorer::Restorer(const ClusterId& cluster, Policy policy) : policy_(policy), restored_(cluster) {
  restored_.ledger.set_rules(policy_.rules());
}

Result<std::optional<Decision>> Restorer::add(Record record) {
  return std::visit([this](auto& kind) { return on(std::move(kind)); }, record);
}

Restorer::Executed Restorer::on(Accepted record) {
  const Seq seq = record.content.seq;
  const Batch batch = record.content.batch;
  if (const auto error = complete(record.digest, std::move(record.content))) return *error;
  if (record.signature != Signature{}) {
    std::optional<PrePrepare>& newest = signed_in(record.view).proposal;
    if (!newest || newest->seq < seq) {
      newest = PrePrepare{record.epoch, record.view, seq, record.digest, batch, record.signature};
    }
  }
  if (seq > restored_.stable.seq) {
    restored_.accepted[seq] = {record.view, record.digest, record.signature};
  }
  return std::optional<Decision>();
}

Restorer::Executed Restorer::on(Certificate record) {
  const Seq seq = record.seq;
  for (const Vote& vote : record.votes) {
    Prepare& newest = signed_in(record.view).prepares[vote.signer];
    if (newest.seq < seq) {
      newest = {record.epoch, record.view, seq, record.digest, vote.signature};
    }
  }
  if (seq > restored_.stable.seq) restored_.prepared[seq] = std::move(record);
  return std::optional<Decision>();
}

Restorer::Executed Restorer::on(Decided record) {
  const Seq seq = record.content.seq;
  Ledger& ledger = restored_.ledger;
  if (seq != ledger.last_seq() + 1) {
    return corrupt(seq, "is decided after slot " + std::to_string(ledger.last_seq()));
  }
  if (const auto error = complete(record.digest, std::move(record.content))) return *error;
  const BatchContent& content = restored_.contents[seq][record.digest];
  Decision decision = ledger.execute(seq, record.view, content.batch.timestamp, content.calls);
  if (ledger.chain() != record.chain) {
    return corrupt(seq, "continues the chain as " + ledger.chain().hex(8) +
                            ", and was recorded as " + record.chain.hex(8));
  }
  if (seq > restored_.stable.seq) {
    restored_.decided[seq] = record.digest;
    if (seq % kCheckpointInterval == 0) restored_.checkpoints[seq] = ledger.digest();
  }
  collect();
  return std::optional(std::move(decision));
}

Restorer::Executed Restorer::on(ViewChange record) {
  restored_.view = record.view;
  restored_.active = false;
  restored_.view_change = std::move(record);
  restored_.new_view.reset();
  return std::optional<Decision>();
}

Restorer::Executed Restorer::on(NewView record) {
  restored_.view = record.view;
  restored_.active = true;
  restored_.view_change.reset();
  for (const ViewChange& message : record.view_changes) {
    restored_.view_changes[message.sender] = message;
  }
  restored_.new_view = std::move(record);
  return std::optional<Decision>();
}

Restorer::Executed Restorer::on(StableCheckpoint record) {
  restored_.stable = std::move(record);
  const auto drop = [seq = restored_.stable.seq](auto& slots) {
    slots.erase(slots.begin(), slots.upper_bound(seq));
  };
  drop(restored_.accepted);
  drop(restored_.prepared);
  drop(restored_.decided);
  drop(restored_.checkpoints);
  collect();
  return std::optional<Decision>();
}

Restorer::Executed Restorer::on(Founding record) {
  restored_.ledger.set_key_limits(record.keys);
  restored_.founded = record;
  return std::optional<Decision>();
}

Restored Restorer::finish(Incarnation incarnation, std::optional<LostVote> lost_vote) && {
  if (policy_.keys_forgotten_on_restart) restored_.ledger.keys().clear();
  restored_.incarnation = incarnation;
  restored_.lost_vote = lost_vote;
  return std::move(restored_);
}

/// Keeps a record's batch; its calls may stand in an earlier record of the slot.
std::optional<Error> Restorer::complete(const Digest& digest, BatchContent content) {
  const Seq seq = content.seq;
  if (digest_of(content.batch) != digest) return corrupt(seq, "holds a batch other than it says");
  auto& known = restored_.contents[seq];
  if (content.calls.size() == content.batch.calls.size()) {
    known[digest] = std::move(content);
  } else if (!known.contains(digest)) {
    return corrupt(seq, "refers to batch " + digest.hex(8) + ", which no record before it holds");
  }
  return std::nullopt;
}

/// Enough views for every member to have led one of them.
Restored::Signed& Restorer::signed_in(View view) {
  constexpr std::size_t kViews = 64;
  Restored::Signed& said = restored_.signed_in[view];
  if (restored_.signed_in.size() > kViews && view > restored_.signed_in.begin()->first) {
    restored_.signed_in.erase(restored_.signed_in.begin());
  }
  return said;
}

/// Contents stay as long as a replica keeps the slot: until it is executed and stable.
void Restorer::collect() {
  const Seq collected = std::min(restored_.stable.seq, restored_.ledger.last_seq());
  restored_.contents.erase(restored_.contents.begin(), restored_.contents.upper_bound(collected));
}

}  // namespace zap::pbft
