// consensus/pbft/slot.h - one slot of the order: what was proposed, who voted, what is proved.
//
// A slot lives from the first word about it until it is executed and below a stable checkpoint.
// It survives view changes: votes and proposals carry their view, and of each signer only the
// newest is kept, which bounds a slot however much a peer talks.

#pragma once

#include <map>
#include <optional>
#include <vector>

#include "consensus/pbft/messages.h"
#include "core/ids.h"
#include "core/time.h"

namespace zap::pbft {

/// What the leader of `view` wants in this slot, before we accept it. From a pre-prepare `batch`
/// is known and each call needs its origin's proof; from a NEW-VIEW only the digest is, and a
/// prepared certificate stands behind it.
struct Proposal {
  View view = 0;
  Digest digest;
  Signature signature;
  std::optional<Batch> batch;
  std::size_t present = 0;  ///< so many of the batch's first calls were found in the pool
};

/// A vote of the prepare phase; the leader's is its pre-prepare.
struct SignedVote {
  View view = 0;
  Digest digest;
  Signature signature;
};

struct CommitVote {
  View view = 0;
  Digest digest;
};

/// Accepted: durable before we voted for it.
struct AcceptedMark {
  View view = 0;
  Digest digest;
  Signature signature;  ///< the leader's; blank in the leader's own slots
  friend bool operator==(const AcceptedMark&, const AcceptedMark&) = default;
};

struct Slot {
  std::optional<Proposal> proposal;
  std::optional<AcceptedMark> accepted;
  std::map<NodeId, SignedVote> prepares;
  std::map<NodeId, CommitVote> commits;
  std::map<NodeId, Digest> words;       ///< DecidedDigests: what each peer says was decided here
  std::optional<Certificate> prepared;  ///< that of the highest view we prepared in
  std::optional<Digest> to_repropose;   ///< what the NEW-VIEW that we prepare must name
  std::optional<Digest> decided;        ///< proved: q commits, f + 1 words, or our own log
  View decided_view = 0;
  bool executed = false;
  /// Batches with their calls, by digest: what is accepted, certified or decided, and candidates.
  std::map<Digest, BatchContent> contents;
  bool in_log = false;  ///< the log holds the content of `accepted`

  /// OSDI'99, 4.2, prepared(m, v, n, i): the votes for what was accepted, the leader's pre-prepare
  /// among them. Our own vote counts once it has come back through step(), durable.
  bool is_prepared(NodeId leader, std::uint32_t quorum, bool count_values) const;
  Certificate certificate(Epoch epoch, Seq seq) const;

  /// The value that `quorum` members committed in one view, or nothing.
  std::optional<CommitVote> committed(std::uint32_t quorum, bool count_values) const;
  /// The digest that `one_correct` members say was decided, or nothing.
  std::optional<Digest> told(std::uint32_t one_correct) const;

  /// The content of the accepted, decided or proposed batch, if held.
  const BatchContent* content(const Digest& digest) const;
};

}  // namespace zap::pbft
