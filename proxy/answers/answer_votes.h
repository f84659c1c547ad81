// proxy/answers/answer_votes.h - what the nodes' applications answered to one call, as digests, and
// what follows from it.
//
// One vote a node. A node may vote without a digest: it has executed the call and has no answer
// that could be compared (a replay, or lost with its connection). Counting is of equal digests,
// never of votes.
//
// Threads: any; a value.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/digest.h"
#include "core/ids.h"
#include "core/membership.h"

namespace zap {

enum class Verdict {
  kOpen,    ///< more votes may decide it
  kAgreed,  ///< f + 1 nodes gave the same answer: at least one of them is correct
  kDiffer,  ///< no answer can still reach f + 1
  kLost,    ///< likewise, but for answers that were lost
};

class AnswerVotes {
 public:
  /// False where the node has voted before.
  bool add(NodeId node, const std::optional<Digest>& compared);
  std::size_t size() const { return votes_.size(); }

  /// How many of `nodes` have not voted and are not `mute`: they may.
  std::size_t to_come(std::uint32_t nodes, const std::vector<NodeId>& mute) const;
  /// Where so many votes may still come.
  Verdict verdict(const Quorum& quorum, std::size_t to_come) const;

  /// What so many nodes gave; null where nothing is. Unique for more than half of the nodes, and
  /// otherwise the one that was given first.
  const Digest* given_by(std::uint32_t enough) const;
  /// Not all that was given is the same.
  bool differ() const;

  std::vector<NodeId> who_gave(const Digest& compared) const;

  struct Vote {
    NodeId node;
    std::optional<Digest> compared;
    bool taken = false;
  };
  /// Those that gave another one, each returned once.
  std::vector<Vote> take_dissenters(const Digest& agreed);
  const std::vector<Vote>& all() const { return votes_; }

 private:
  bool has_voted(NodeId node) const;
  std::uint32_t count(const Digest& compared) const;

  std::vector<Vote> votes_;
};

}  // namespace zap
