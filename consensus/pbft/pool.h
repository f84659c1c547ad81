// consensus/pbft/pool.h - calls that wait to be ordered, with the proofs of their origins.
//
// Payloads arrive here in bundles, apart from any order, and stay until their id is decided. The
// pool answers three questions: what may a leader propose next, which payload has this digest, and
// how long has the oldest call of each origin been waiting. Waiting is per id: an origin may lie
// and sign two payloads for one id; both are kept (either may be ordered), one is watched.

#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "consensus/pbft/messages.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/operation.h"
#include "core/time.h"

namespace zap::pbft {

class Pool {
 public:
  using Proof = std::shared_ptr<const BundleProof>;

  /// Unordered bytes kept per origin, each proof counted once. Beyond it go payloads of older runs,
  /// second payloads for one id, then the oldest; never one that a proposal of now names, nor our
  /// own: a correct origin stays below (limits.queue_bytes) and sends again what was dropped.
  static constexpr std::size_t kBytesPerOrigin = 64'000'000;
  /// Payloads kept for one id, of which an honest origin signs one.
  static constexpr std::size_t kPayloadsPerId = 4;

  enum class Added { kNew, kKnown, kConflicting };

  explicit Pool(NodeId self, std::size_t bytes_per_origin = kBytesPerOrigin)
      : self_(self), bytes_per_origin_(bytes_per_origin) {}

  /// `proof` covers `call`. The caller has checked that the call's number is inside its window.
  Added add(const CallPtr& call, const Proof& proof, Instant now);

  /// Null where no payload with this digest is held.
  const CallPtr* find(const Digest& digest) const;
  /// The calls with these digests that are held, grouped by their proofs: one at least, then no
  /// more than `bytes` of payload. A digest that is named twice counts once.
  std::vector<Bundle> bundles_of(const std::vector<Digest>& digests, std::size_t bytes) const;

  /// Of every payload that its origin signed for this id.
  std::vector<Proof> proofs_of(const OperationId& id) const;

  /// The id was decided, one way or another: forgets its payloads and all of older incarnations.
  /// Says since when it waited here, where it did.
  std::optional<Instant> decided(const OperationId& id);

  /// Keeps these payloads, held or to come, whatever the bounds say: a proposal of the current
  /// view for `seq` names them. Until unpin.
  void pin(Seq seq, const std::vector<Digest>& digests);
  void unpin(Seq seq);
  void unpin_all();

  // -- for the leader

  std::size_t unproposed() const { return unproposed_; }
  /// Up to `count` calls (and, after the first, no more than `bytes` of payload) that no proposal
  /// names, each origin's in number order; they count as proposed from here on. Origins share a
  /// batch by what their calls cost, so that who has many of them, or large ones, delays nobody
  /// else's.
  std::vector<CallPtr> take(std::size_t count, std::size_t bytes);
  /// A proposal of the current view names this call.
  void mark_proposed(const OperationId& id);
  /// A new view: what its NEW-VIEW does not name is to be proposed again.
  void mark_all_unproposed();

  // -- for the timers

  /// A call that waits. What no proposal names counts only once the leader was told of it.
  struct Oldest {
    Instant since;
    bool counts;
    bool proposed;
  };
  /// Calls fn(origin, oldest) for the oldest waiting call of each origin, until one answers true.
  template <typename Function>
  bool any_oldest(Function fn) const {
    for (const auto& [id, origin] : origins_) {
      if (origin.waiting.empty()) continue;
      const Waiting& first = origin.waiting.begin()->second;
      if (fn(id, Oldest{first.since, first.proposed || first.forwarded, first.proposed}))
        return true;
    }
    return false;
  }
  /// Up to `limit` calls of each origin that arrived before `before`, that no proposal names, and
  /// that were not taken this way in this view. Their time counts as if they had come at `before`.
  std::vector<Digest> take_overdue(Instant before, std::size_t limit);
  /// The same of one origin, whoever proposed them.
  std::vector<Digest> waiting_of(NodeId origin, std::size_t limit) const;

  bool is_waiting(NodeId origin) const;
  std::size_t waiting() const;
  /// Bytes kept of another origin's ended runs that no proposal of now names: the most there
  /// are, for the invariants.
  std::size_t most_superseded_bytes() const;

 private:
  struct Held {
    CallPtr call;
    Proof proof;
  };
  struct Waiting {
    std::vector<Digest> payloads;  ///< the first one is what we would propose
    Instant since;
    bool proposed = false;
    bool forwarded = false;
  };
  struct Origin {
    Incarnation incarnation = 0;               ///< the newest seen in any bundle
    std::map<std::uint64_t, Waiting> waiting;  ///< of that incarnation, by number
    std::set<std::uint64_t> unproposed;        ///< numbers of `waiting`
    std::vector<Digest> superseded;            ///< payloads of older incarnations
    std::size_t bytes = 0;
  };

  const Waiting* find_waiting(const OperationId& id) const;
  Waiting* find_waiting(const OperationId& id) {
    return const_cast<Waiting*>(std::as_const(*this).find_waiting(id));
  }
  bool is_pinned(const Digest& digest) const { return pins_.contains(digest); }
  std::size_t hold(const CallPtr& call, const Proof& proof);
  void forget(Origin& origin, const Digest& digest);
  void forget_unpinned(Origin& origin, std::vector<Digest>& digests, std::size_t keep);
  void forget_waiting(Origin& origin, std::uint64_t number);
  void supersede(Origin& origin, Incarnation incarnation);
  void enforce_bound(Origin& origin);

  const NodeId self_;
  const std::size_t bytes_per_origin_;
  std::map<NodeId, Origin> origins_;
  std::unordered_map<Digest, Held, DigestHash> payloads_;
  std::unordered_map<const BundleProof*, std::size_t> proofs_;  ///< how many calls each covers here
  std::unordered_map<Digest, std::uint32_t, DigestHash> pins_;  ///< how many slots pin it
  std::map<Seq, std::vector<Digest>> pinned_;
  std::size_t unproposed_ = 0;
  NodeId next_turn_ = 0;  ///< the origin that take() begins with
};

}  // namespace zap::pbft
