// consensus/pbft/statement.h - what exactly a signature says, and where signatures stand.
//
// A statement binds cluster, epoch, type, view, seq, digest and signer, so that nothing signed in
// one context is worth anything in another (BFT-SMaRt PR 121). Signing and checking both walk a
// message through the functions here: what the gate checks is what the driver signed.

#pragma once

#include <string>
#include <vector>

#include "consensus/pbft/messages.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/membership.h"
#include "core/result.h"

namespace zap::pbft {

/// The leader of `view` in this epoch: OSDI'99, 4: p = v mod |R|. With a fixed leader, always it.
struct Leadership {
  const Membership* membership = nullptr;
  std::optional<NodeId> fixed;
  NodeId leader_of(View view) const;
};

Digest bundle_statement(const ClusterId& cluster, const BundleProof& proof);
Digest pre_prepare_statement(const ClusterId& cluster, Epoch epoch, View view, Seq seq,
                             const Digest& digest, NodeId leader);
Digest prepare_statement(const ClusterId& cluster, Epoch epoch, View view, Seq seq,
                         const Digest& digest, NodeId signer);
Digest checkpoint_statement(const ClusterId& cluster, Epoch epoch, Seq seq, const Digest& digest,
                            NodeId signer);
Digest view_change_statement(const ClusterId& cluster, const ViewChange& message);
Digest new_view_statement(const ClusterId& cluster, const NewView& message);

/// One signature to make: the driver signs `statement` and stores the result in `signature`.
struct ToSign {
  Digest statement;
  Signature* signature;
};
/// Every signature that `sender` owes to its own `message`, which is one of its own making.
std::vector<ToSign> signatures_to_make(const ClusterId& cluster, NodeId sender, Message& message);

/// One signature to verify.
struct ToVerify {
  NodeId signer;
  Digest statement;
  Signature signature;
};
/// Every signature inside `message` as received from `from`, or an error where the message
/// contradicts itself without any arithmetic on keys: digests that do not fit their contents,
/// signers that are no members or stand twice, certificates below a quorum, a pre-prepare from
/// one that does not lead its view. `receiver` is this node: a Shown holds messages of its own.
/// kUnavailable: the message belongs to another epoch, whose members are not known here.
Result<std::vector<ToVerify>> signatures_to_verify(const ClusterId& cluster,
                                                   const Leadership& leadership, NodeId from,
                                                   NodeId receiver, const Message& message);

}  // namespace zap::pbft
