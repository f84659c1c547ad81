// proxy/reads/freshness.h - how old, at most, is what a local application shows: for local reads
// with max_staleness.
//
// A write that was acknowledged is prepared at a quorum. So whoever hears from a quorum (itself
// included) what each has prepared, and has then executed up to the greatest of these numbers, has
// every write that was acknowledged before the first of those words was said. Every node says so in
// each round_timeout (pbft::Status); the words of the q - 1 others that spoke last make a round.
//
// Threads: lives on the main loop.

#pragma once

#include <deque>
#include <map>

#include "core/ids.h"
#include "core/membership.h"
#include "core/time.h"

namespace zap {

class Freshness {
 public:
  explicit Freshness(Quorum quorum) : quorum_(quorum) {}

  /// A peer's status, and what this node itself has prepared at that moment.
  void said(NodeId from, Seq prepared, Seq own_prepared, Instant now);
  /// Every slot up to `seq` is decided here; the last index that they gave out.
  void decided(Seq seq, Index last_index);

  /// An application that has executed every call up to `applied` has all that was acknowledged
  /// before this moment.
  Instant as_of(Index applied) const;

 private:
  struct Word {
    Instant at;
    Seq prepared = 0;
  };
  struct Round {
    Instant at;        ///< of its oldest word
    Seq prepared = 0;  ///< the greatest of its words
  };
  /// Whoever has `index` is as fresh as `at`.
  struct Point {
    Instant at;
    Index index = 0;
  };

  const Quorum quorum_;
  std::map<NodeId, Word> words_;
  std::deque<Round> rounds_;  ///< wait until their slots are decided here
  std::deque<Point> points_;  ///< by time, and by index
  Seq decided_ = 0;
  Index last_index_ = 0;
};

}  // namespace zap
