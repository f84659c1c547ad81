#include "consensus/pbft/statement.h"

namespace zap::pbft {

namespace {

std::string_view view_of(const Signature& signature) {
  return {reinterpret_cast<const char*>(signature.bytes.data()), signature.bytes.size()};
}

void add_votes(Hasher& hasher, const std::vector<Vote>& votes) {
  hasher.add(static_cast<std::uint64_t>(votes.size()));
  for (const Vote& vote : votes) hasher.add(vote.signer).add(view_of(vote.signature));
}

}  // namespace

NodeId Leadership::leader_of(View view) const {
  if (fixed) return *fixed;
  return membership->members[view % membership->members.size()].id;
}

Digest bundle_statement(const ClusterId& cluster, const BundleProof& proof) {
  Hasher hasher("zap bundle");
  hasher.add(cluster).add(proof.origin).add(proof.incarnation).add(proof.first_number);
  hasher.add(static_cast<std::uint64_t>(proof.digests.size()));
  for (const Digest& digest : proof.digests) hasher.add(digest);
  return hasher.finish();
}

Digest pre_prepare_statement(const ClusterId& cluster, Epoch epoch, View view, Seq seq,
                             const Digest& digest, NodeId leader) {
  Hasher hasher("zap pre-prepare");
  return hasher.add(cluster).add(epoch).add(view).add(seq).add(digest).add(leader).finish();
}

Digest prepare_statement(const ClusterId& cluster, Epoch epoch, View view, Seq seq,
                         const Digest& digest, NodeId signer) {
  Hasher hasher("zap prepare");
  return hasher.add(cluster).add(epoch).add(view).add(seq).add(digest).add(signer).finish();
}

Digest checkpoint_statement(const ClusterId& cluster, Epoch epoch, Seq seq, const Digest& digest,
                            NodeId signer) {
  Hasher hasher("zap checkpoint");
  return hasher.add(cluster).add(epoch).add(seq).add(digest).add(signer).finish();
}

// Covers the votes inside too: a view change is passed on by others, and must arrive as it was.
Digest view_change_statement(const ClusterId& cluster, const ViewChange& message) {
  Hasher hasher("zap view-change");
  hasher.add(cluster).add(message.sender).add(message.epoch).add(message.view);
  hasher.add(message.stable.epoch).add(message.stable.seq).add(message.stable.digest);
  add_votes(hasher, message.stable.votes);
  hasher.add(static_cast<std::uint64_t>(message.prepared.size()));
  for (const Certificate& certificate : message.prepared) {
    hasher.add(certificate.epoch).add(certificate.view).add(certificate.seq);
    hasher.add(certificate.digest);
    add_votes(hasher, certificate.votes);
  }
  return hasher.finish();
}

// A reproposal's signature is not covered: it says the same as its entry here.
Digest new_view_statement(const ClusterId& cluster, const NewView& message) {
  Hasher hasher("zap new-view");
  hasher.add(cluster).add(message.epoch).add(message.view);
  hasher.add(static_cast<std::uint64_t>(message.view_changes.size()));
  for (const ViewChange& view_change : message.view_changes) {
    hasher.add(view_change_statement(cluster, view_change));
  }
  hasher.add(static_cast<std::uint64_t>(message.reproposals.size()));
  for (const Reproposal& reproposal : message.reproposals) {
    hasher.add(reproposal.seq).add(reproposal.digest);
  }
  return hasher.finish();
}

// ---------------------------------------------------------------- signing

namespace {

/// Walks our own message; what is signed already (a view change sent again) is left as it is.
class Signing {
 public:
  Signing(const ClusterId& cluster, NodeId sender) : cluster_(cluster), sender_(sender) {}

  void operator()(Bundle& bundle) {
    if (bundle.proof->origin != sender_ || bundle.proof->signature != Signature{}) return;
    auto proof = std::make_shared<BundleProof>(*bundle.proof);
    owe(bundle_statement(cluster_, *proof), proof->signature);
    bundle.proof = std::move(proof);
  }
  void operator()(PrePrepare& m) {
    owe(pre_prepare_statement(cluster_, m.epoch, m.view, m.seq, m.digest, sender_), m.signature);
  }
  void operator()(Prepare& m) {
    owe(prepare_statement(cluster_, m.epoch, m.view, m.seq, m.digest, sender_), m.signature);
  }
  void operator()(Checkpoint& m) {
    owe(checkpoint_statement(cluster_, m.epoch, m.seq, m.digest, sender_), m.signature);
  }
  void operator()(ViewChange& m) {
    if (m.sender == sender_) owe(view_change_statement(cluster_, m), m.signature);
  }
  void operator()(NewView& m) {
    if (m.signature != Signature{}) return;
    for (Reproposal& r : m.reproposals) {
      owe(pre_prepare_statement(cluster_, m.epoch, m.view, r.seq, r.digest, sender_), r.signature);
    }
    owe(new_view_statement(cluster_, m), m.signature);
  }
  // Authenticated by the channel, or made of messages that are signed already.
  void operator()(Commit&) {}
  void operator()(StableCheckpoint&) {}
  void operator()(Status&) {}
  void operator()(FetchBatches&) {}
  void operator()(Batches&) {}
  void operator()(FetchCalls&) {}
  void operator()(DecidedDigests&) {}
  void operator()(Shown&) {}

  std::vector<ToSign> take() { return std::move(owed_); }

 private:
  void owe(const Digest& statement, Signature& signature) {
    if (signature == Signature{}) owed_.push_back({statement, &signature});
  }

  const ClusterId& cluster_;
  const NodeId sender_;
  std::vector<ToSign> owed_;
};

}  // namespace

std::vector<ToSign> signatures_to_make(const ClusterId& cluster, NodeId sender, Message& message) {
  Signing signing(cluster, sender);
  std::visit(signing, message);
  return signing.take();
}

}  // namespace zap::pbft
