// consensus/pbft/messages.h - what PBFT replicas say to each other, and what they write down.
//
// Plain values, no behaviour. consensus/wire makes bytes of them, statement.h says what exactly is
// signed, the gate verifies before a replica's step() sees any of them. "Signed" below means: the
// signer's Ed25519 signature over the statement; commits, status and fetching rely on the
// authenticated channel alone.
//
// Payloads travel apart from order: an origin sends its calls to everyone in Bundles, the leader
// orders their digests in PrePrepares (protocol: docs/architecture.md).

#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "core/digest.h"
#include "core/ids.h"
#include "core/operation.h"
#include "core/time.h"

namespace zap::pbft {

// ---------------------------------------------------------------- calls

/// What an origin signed when it sent a bundle: enough to prove each call in it by itself.
struct BundleProof {
  NodeId origin = 0;
  Incarnation incarnation = 0;
  std::uint64_t first_number = 0;  ///< the calls are numbered from here without gaps
  std::vector<Digest> digests;
  Signature signature;
};

/// Calls with the proof that their origin made them. From the origin: all that the proof names.
/// Forwarded or fetched: some of them.
struct Bundle {
  std::shared_ptr<const BundleProof> proof;
  std::vector<CallPtr> calls;
};

/// What one slot orders. Its digest covers both fields and never a view, since a batch keeps its
/// digest when a later view proposes it again. No calls: the null request (OSDI'99, 4.4).
struct Batch {
  WallTime timestamp = 0;  ///< proposed; the agreed one is never below that of the slot before
  std::vector<Digest> calls;
  friend bool operator==(const Batch&, const Batch&) = default;
};
Digest digest_of(const Batch& batch);
/// The digest of the null request, Batch{}.
const Digest& null_digest();

/// A batch with the calls themselves, in its order.
struct BatchContent {
  Seq seq = 0;
  Batch batch;
  std::vector<CallPtr> calls;
};

// ---------------------------------------------------------------- the normal case, OSDI'99 4.2

/// Signed by the leader of `view`, over everything but the list, which `digest` stands for.
struct PrePrepare {
  Epoch epoch = 0;
  View view = 0;
  Seq seq = 0;
  Digest digest;  ///< of `batch`; the gate refuses one that does not fit
  Batch batch;
  Signature signature;
};

/// Signed by a backup, once it has the batch and all its calls durable.
struct Prepare {
  Epoch epoch = 0;
  View view = 0;
  Seq seq = 0;
  Digest digest;
  Signature signature;
};

/// Not signed: the channel says who. Sent once the sender's prepared certificate is durable.
struct Commit {
  Epoch epoch = 0;
  View view = 0;
  Seq seq = 0;
  Digest digest;
};

struct Vote {
  NodeId signer = 0;
  Signature signature;
};

/// A prepared certificate: the leader's pre-prepare signature and q - 1 backups' prepare
/// signatures over one (epoch, view, seq, digest). Which of the two statements a vote signs
/// follows from whether its signer leads `view`.
struct Certificate {
  Epoch epoch = 0;
  View view = 0;
  Seq seq = 0;
  Digest digest;
  std::vector<Vote> votes;
};

// ---------------------------------------------------------------- checkpoints, OSDI'99 4.3

/// Signed. `digest` covers what was agreed up to `seq` and nothing that an application said.
struct Checkpoint {
  Epoch epoch = 0;
  Seq seq = 0;
  Digest digest;
  Signature signature;
};

/// q members' signed checkpoints with one value: the proof of a stable checkpoint. Sequence
/// number 0 is stable by definition and has no votes.
struct StableCheckpoint {
  Epoch epoch = 0;
  Seq seq = 0;
  Digest digest;
  std::vector<Vote> votes;
};

// ---------------------------------------------------------------- view changes, OSDI'99 4.4

/// Signed by `sender`; complete in itself, since it travels on inside of NewView.
struct ViewChange {
  NodeId sender = 0;
  Epoch epoch = 0;
  View view = 0;                      ///< the view to change to
  StableCheckpoint stable;            ///< the sender's last stable checkpoint: C
  std::vector<Certificate> prepared;  ///< by seq; per slot that of the highest view: P
  Signature signature;
};

/// One pre-prepare of O: the batch behind the digest is fetched where it is not known.
struct Reproposal {
  Seq seq = 0;
  Digest digest;
  Signature signature;  ///< the new leader's pre-prepare signature for (epoch, view, seq, digest)
};

/// Signed by the leader of `view`.
struct NewView {
  Epoch epoch = 0;
  View view = 0;
  std::vector<ViewChange> view_changes;  ///< q of them: V
  std::vector<Reproposal> reproposals;   ///< O
  Signature signature;
};

// ---------------------------------------------------------------- keeping up

/// Where the sender stands. Sent to all every round_timeout, and to a peer that (re)connects.
/// Whoever is ahead answers with what the sender lacks.
struct Status {
  Epoch epoch = 0;
  View view = 0;
  bool active = false;  ///< false between VIEW-CHANGE and NEW-VIEW
  Seq stable = 0;
  Seq prepared = 0;             ///< highest slot with a prepared certificate
  Seq decided = 0;              ///< every slot up to here is decided and executed
  Seq checkpoint = 0;           ///< highest checkpoint, stable or the sender's own
  Incarnation incarnation = 0;  ///< the sender's
  bool returning = false;       ///< the sender has not voted since its start: show it its messages
  Seq horizon = 0;  ///< the sender votes again once this checkpoint is stable (amnesia); or 0
  View wants = 0;   ///< the lowest view in which the sender wants to vote
};

/// "I lack these batches": each slot with the digest that is proved or pre-prepared there.
struct FetchBatches {
  struct Wanted {
    Seq seq = 0;
    Digest digest;
  };
  std::vector<Wanted> wanted;
};

/// The answer. Believed only as far as the digests are.
struct Batches {
  std::vector<BatchContent> contents;
};

/// "I lack these calls", named by a pre-prepare. Answered with Bundles, so with proofs.
struct FetchCalls {
  std::vector<Digest> digests;
};

/// The sender's word that slots first, first + 1, ... are decided with these batches. f + 1 equal
/// words, each over its own channel, decide a slot here.
struct DecidedDigests {
  Seq first = 0;
  std::vector<Digest> digests;
};

/// The answer to a returning replica's Status: the newest signed messages that the sender holds of
/// the receiver, which the receiver's log must contain, or it suffers from amnesia.
struct Shown {
  Incarnation answers = 0;  ///< the receiver's incarnation: an older answer counts for nothing
  StableCheckpoint stable;  ///< the sender's, with its proof
  std::vector<Prepare> prepares;  ///< at most one: the newest by (view, seq)
  std::vector<PrePrepare> pre_prepares;
  std::vector<Checkpoint> checkpoints;
  std::vector<ViewChange> view_changes;
};

using Message =
    std::variant<Bundle, PrePrepare, Prepare, Commit, Checkpoint, StableCheckpoint, ViewChange,
                 NewView, Status, FetchBatches, Batches, FetchCalls, DecidedDigests, Shown>;

// ---------------------------------------------------------------- the log

/// A pre-prepare accepted (or proposed) here, with its calls. Must be durable before our vote.
/// `content.calls` is empty where an earlier record of this slot holds the same digest.
struct Accepted {
  Epoch epoch = 0;
  View view = 0;
  Digest digest;
  BatchContent content;
  Signature signature;  ///< the leader's, from its pre-prepare; blank in the leader's own record
};

/// A slot decided and executed. `content.calls` as above: empty where the log has the digest.
struct Decided {
  View view = 0;
  Digest digest;
  BatchContent content;
  WallTime timestamp = 0;  ///< agreed
  Index last_index = 0;    ///< after this slot
  Digest chain;            ///< head of the hash chain after this slot
};

/// What the founding members agreed on and no configuration changes any more: a log's first record.
struct Founding {
  KeyLimits keys;
};

/// What a replica must not forget, in the order in which it learned it. The log is written first
/// in, first out: a record is durable only when all before it are.
using Record =
    std::variant<Accepted, Certificate, Decided, ViewChange, NewView, StableCheckpoint, Founding>;

}  // namespace zap::pbft
