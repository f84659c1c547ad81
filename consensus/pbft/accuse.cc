// Two signed things that contradict each other prove that their signer lies, to anyone and for
// good. Here they are put together; what becomes of them is up to whoever gets the notice.

#include <utility>

#include "consensus/pbft/replica.h"

namespace zap::pbft {

namespace {

/// The proof alone: it names the payload by its digest.
Message without_payloads(const Pool::Proof& proof) { return Bundle{proof, {}}; }

}  // namespace

void Replica::accuse(NodeId node, std::string what, Seq seq, std::vector<Message> evidence) {
  notice(Notice::Kind::kEquivocation, std::move(what), seq, node);
  out_.notices.back().evidence = std::move(evidence);
}

void Replica::accuse_origin(const OperationId& id) {
  std::vector<Message> evidence;
  for (const Pool::Proof& proof : pool_.proofs_of(id)) evidence.push_back(without_payloads(proof));
  accuse(id.origin, "signed two payloads for one operation id", 0, std::move(evidence));
}

/// A vote as it was said: a leader's is its pre-prepare.
Message Replica::said(Seq seq, NodeId signer, const SignedVote& vote) const {
  if (signer == leader_of(vote.view)) {
    return PrePrepare{epoch_, vote.view, seq, vote.digest, {}, vote.signature};
  }
  return Prepare{epoch_, vote.view, seq, vote.digest, vote.signature};
}

void Replica::accuse_voter(Seq seq, NodeId signer, const SignedVote& one, const SignedVote& other) {
  accuse(signer,
         signer == leader_of(one.view) ? "proposed two batches for one slot"
                                       : "voted for two batches in one slot",
         seq, {said(seq, signer, one), said(seq, signer, other)});
}

}  // namespace zap::pbft
