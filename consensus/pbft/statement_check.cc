// The receiving half of statement.h: does a message fit itself, and which signatures make it true?

#include <algorithm>
#include <set>

#include "consensus/pbft/settings.h"
#include "consensus/pbft/statement.h"

namespace zap::pbft {

namespace {

std::string slot(View view, Seq seq) {
  return "view " + std::to_string(view) + ", slot " + std::to_string(seq);
}

/// Each function is true where the message fits, and has then noted its signatures; the first
/// contradiction is kept in error_.
class Checking {
 public:
  Checking(const ClusterId& cluster, const Leadership& leadership, NodeId from, NodeId receiver)
      : cluster_(cluster),
        leadership_(leadership),
        members_(*leadership.membership),
        from_(from),
        receiver_(receiver) {}

  bool operator()(const Bundle& bundle);
  bool operator()(const PrePrepare& m) {
    if (from_ != leadership_.leader_of(m.view)) {
      return refuse("a pre-prepare for " + slot(m.view, m.seq) + " from " +
                    members_.name_of(from_) + ", who does not lead that view");
    }
    return pre_prepare(m, from_);
  }
  bool operator()(const Prepare& m) {
    if (from_ == leadership_.leader_of(m.view)) {
      return refuse("a prepare for " + slot(m.view, m.seq) + " from that view's leader, " +
                    members_.name_of(from_) + ", whose vote is its pre-prepare");
    }
    return prepare(m, from_);
  }
  bool operator()(const Commit& m) { return epoch(m.epoch) && positive(m.seq, "a commit"); }
  bool operator()(const Checkpoint& m) { return checkpoint(m, from_); }
  bool operator()(const StableCheckpoint& m);
  bool operator()(const ViewChange& m);
  bool operator()(const NewView& m);
  bool operator()(const Status& m) { return epoch(m.epoch); }
  bool operator()(const FetchBatches&) { return true; }
  bool operator()(const Batches& m);
  bool operator()(const FetchCalls&) { return true; }
  bool operator()(const DecidedDigests& m) { return positive(m.first, "decided digests"); }
  bool operator()(const Shown& m);

  Result<std::vector<ToVerify>> finish(bool fits) && {
    if (!fits) return std::move(error_);
    return std::move(to_verify_);
  }

 private:
  bool pre_prepare(const PrePrepare& m, NodeId signer);
  bool prepare(const Prepare& m, NodeId signer);
  bool checkpoint(const Checkpoint& m, NodeId signer);
  bool certificate(const Certificate& m);

  bool refuse(std::string what) {
    error_ = {ErrorCode::kInvalid, std::move(what)};
    return false;
  }
  bool epoch(Epoch epoch);
  bool positive(Seq seq, const char* what) {
    return seq > 0 || refuse(std::string(what) + " for slot 0; slots count from 1");
  }
  bool member(NodeId id, const char* what) {
    return members_.contains(id) ||
           refuse(std::string(what) + " of " + members_.name_of(id) + ", who is no member");
  }
  /// Distinct members, q of them at least.
  bool quorum_of(const std::vector<NodeId>& signers, const std::string& what);
  void note(NodeId signer, const Digest& statement, const Signature& signature) {
    to_verify_.push_back({signer, statement, signature});
  }

  const ClusterId& cluster_;
  const Leadership& leadership_;
  const Membership& members_;
  const NodeId from_;
  const NodeId receiver_;
  std::vector<ToVerify> to_verify_;
  Error error_{ErrorCode::kInvalid, {}};
};

bool Checking::epoch(Epoch epoch) {
  if (epoch == members_.epoch) return true;
  error_ = {ErrorCode::kUnavailable, "a message of epoch " + std::to_string(epoch) +
                                         "; the members known here are those of epoch " +
                                         std::to_string(members_.epoch)};
  return false;
}

bool Checking::quorum_of(const std::vector<NodeId>& signers, const std::string& what) {
  std::set<NodeId> distinct;
  for (const NodeId signer : signers) {
    if (!members_.contains(signer)) {
      return refuse(what + " signed by " + members_.name_of(signer) + ", who is no member");
    }
    if (!distinct.insert(signer).second) {
      return refuse(what + " signed by " + members_.name_of(signer) + " twice");
    }
  }
  const std::uint32_t needed = members_.quorum().size();
  return distinct.size() >= needed || refuse(what + " with " + std::to_string(distinct.size()) +
                                             " signers; a quorum is " + std::to_string(needed));
}

std::vector<NodeId> signers_of(const std::vector<Vote>& votes) {
  std::vector<NodeId> signers;
  signers.reserve(votes.size());
  for (const Vote& vote : votes) signers.push_back(vote.signer);
  return signers;
}

bool Checking::operator()(const Bundle& bundle) {
  const BundleProof& proof = *bundle.proof;
  if (!member(proof.origin, "a bundle")) return false;
  const std::string whose = "a bundle of " + members_.name_of(proof.origin);
  if (bundle.calls.empty()) return refuse(whose + " without calls");
  for (const CallPtr& call : bundle.calls) {
    const OperationId& id = call->operation.id;
    if (id.origin != proof.origin || id.incarnation != proof.incarnation) {
      return refuse(whose + " with call " + to_string(id, members_) + ", which is not its own");
    }
    if (id.number == 0 || id.number < proof.first_number ||
        id.number - proof.first_number >= proof.digests.size()) {
      return refuse(whose + " with call " + to_string(id, members_) +
                    ", which its proof does not cover");
    }
    if (call->digest != proof.digests[id.number - proof.first_number]) {
      return refuse(whose + " with call " + to_string(id, members_) +
                    ", whose digest differs from that in its proof");
    }
  }
  note(proof.origin, bundle_statement(cluster_, proof), proof.signature);
  return true;
}

bool Checking::pre_prepare(const PrePrepare& m, NodeId signer) {
  if (!epoch(m.epoch) || !positive(m.seq, "a pre-prepare")) return false;
  if (digest_of(m.batch) != m.digest) {
    return refuse("a pre-prepare for " + slot(m.view, m.seq) +
                  " whose digest is not that of its batch");
  }
  std::vector<Digest> calls = m.batch.calls;
  std::sort(calls.begin(), calls.end());
  if (std::adjacent_find(calls.begin(), calls.end()) != calls.end()) {
    return refuse("a pre-prepare for " + slot(m.view, m.seq) + " that names a call twice");
  }
  note(signer, pre_prepare_statement(cluster_, m.epoch, m.view, m.seq, m.digest, signer),
       m.signature);
  return true;
}

bool Checking::prepare(const Prepare& m, NodeId signer) {
  if (!epoch(m.epoch) || !positive(m.seq, "a prepare")) return false;
  note(signer, prepare_statement(cluster_, m.epoch, m.view, m.seq, m.digest, signer), m.signature);
  return true;
}

bool Checking::checkpoint(const Checkpoint& m, NodeId signer) {
  if (!epoch(m.epoch) || !positive(m.seq, "a checkpoint")) return false;
  note(signer, checkpoint_statement(cluster_, m.epoch, m.seq, m.digest, signer), m.signature);
  return true;
}

bool Checking::certificate(const Certificate& m) {
  const std::string what = "a prepared certificate for " + slot(m.view, m.seq);
  if (!epoch(m.epoch) || !quorum_of(signers_of(m.votes), what)) return false;
  const NodeId leader = leadership_.leader_of(m.view);
  bool leader_voted = false;
  for (const Vote& vote : m.votes) {
    leader_voted |= vote.signer == leader;
    const auto statement = vote.signer == leader ? pre_prepare_statement : prepare_statement;
    note(vote.signer, statement(cluster_, m.epoch, m.view, m.seq, m.digest, vote.signer),
         vote.signature);
  }
  return leader_voted || refuse(what + " without the pre-prepare of that view's leader");
}

bool Checking::operator()(const StableCheckpoint& m) {
  if (m.seq == 0) {
    return m.votes.empty() || refuse("votes for checkpoint 0, which is stable by definition");
  }
  if (!epoch(m.epoch)) return false;
  const std::string what = "the proof of checkpoint " + std::to_string(m.seq);
  if (!quorum_of(signers_of(m.votes), what)) return false;
  for (const Vote& vote : m.votes) {
    note(vote.signer, checkpoint_statement(cluster_, m.epoch, m.seq, m.digest, vote.signer),
         vote.signature);
  }
  return true;
}

bool Checking::operator()(const ViewChange& m) {
  if (!member(m.sender, "a view change") || !epoch(m.epoch)) return false;
  const std::string what =
      "a view change of " + members_.name_of(m.sender) + " to view " + std::to_string(m.view);
  if (m.view == 0) return refuse(what + "; the first that can be changed to is 1");
  if (!(*this)(m.stable)) return false;
  Seq last = m.stable.seq;
  for (const Certificate& prepared : m.prepared) {
    if (prepared.seq <= last || prepared.seq - m.stable.seq > kWindow) {
      return refuse(what + " whose certificate for slot " + std::to_string(prepared.seq) +
                    " is out of order, or outside of the " + std::to_string(kWindow) +
                    " slots above checkpoint " + std::to_string(m.stable.seq));
    }
    if (prepared.view >= m.view) {
      return refuse(what + " with a certificate of view " + std::to_string(prepared.view));
    }
    if (!certificate(prepared)) return false;
    last = prepared.seq;
  }
  note(m.sender, view_change_statement(cluster_, m), m.signature);
  return true;
}

bool Checking::operator()(const NewView& m) {
  if (!epoch(m.epoch)) return false;
  const std::string what = "the new view " + std::to_string(m.view);
  std::vector<NodeId> senders;
  for (const ViewChange& view_change : m.view_changes) {
    if (view_change.view != m.view) {
      return refuse(what + " with a view change to view " + std::to_string(view_change.view));
    }
    senders.push_back(view_change.sender);
  }
  if (!quorum_of(senders, what)) return false;
  for (const ViewChange& view_change : m.view_changes) {
    if (!(*this)(view_change)) return false;
  }

  const NodeId leader = leadership_.leader_of(m.view);
  if (m.reproposals.size() > kWindow) {
    return refuse(what + " with " + std::to_string(m.reproposals.size()) +
                  " reproposals; the window has " + std::to_string(kWindow) + " slots");
  }
  Seq last = 0;
  for (const Reproposal& reproposal : m.reproposals) {
    if (reproposal.seq <= last) {
      return refuse(what + " whose reproposal for slot " + std::to_string(reproposal.seq) +
                    " is out of order");
    }
    last = reproposal.seq;
    note(
        leader,
        pre_prepare_statement(cluster_, m.epoch, m.view, reproposal.seq, reproposal.digest, leader),
        reproposal.signature);
  }
  note(leader, new_view_statement(cluster_, m), m.signature);
  return true;
}

bool Checking::operator()(const Batches& m) {
  for (const BatchContent& content : m.contents) {
    const bool fits = std::equal(
        content.calls.begin(), content.calls.end(), content.batch.calls.begin(),
        content.batch.calls.end(),
        [](const CallPtr& call, const Digest& digest) { return call->digest == digest; });
    if (!fits) {
      return refuse("the content of slot " + std::to_string(content.seq) +
                    ", whose calls are not those of its batch");
    }
  }
  return true;
}

// Messages of our own that somebody shows to us: our signature makes them ours, whoever led then.
bool Checking::operator()(const Shown& m) {
  if (!(*this)(m.stable)) return false;
  for (const Prepare& prepare_shown : m.prepares) {
    if (!prepare(prepare_shown, receiver_)) return false;
  }
  for (const PrePrepare& pre_prepare_shown : m.pre_prepares) {
    if (!pre_prepare(pre_prepare_shown, receiver_)) return false;
  }
  for (const Checkpoint& checkpoint_shown : m.checkpoints) {
    if (!checkpoint(checkpoint_shown, receiver_)) return false;
  }
  for (const ViewChange& view_change : m.view_changes) {
    if (view_change.sender != receiver_) {
      return refuse("a view change of " + members_.name_of(view_change.sender) +
                    ", shown to another as its own");
    }
    if (!(*this)(view_change)) return false;
  }
  return true;
}

}  // namespace

Result<std::vector<ToVerify>> signatures_to_verify(const ClusterId& cluster,
                                                   const Leadership& leadership, NodeId from,
                                                   NodeId receiver, const Message& message) {
  Checking checking(cluster, leadership, from, receiver);
  const bool fits = std::visit(checking, message);
  return std::move(checking).finish(fits);
}

}  // namespace zap::pbft
