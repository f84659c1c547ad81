// tests/simulation/promises.h - what each correct node has said, over all its lives: it never says
// two things, never speaks before its disk holds what it rests upon, never votes in a view that it
// has left, and never outside of its window.

#pragma once

#include <unordered_map>
#include <vector>

#include "consensus/engine.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/gate.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/verdict.h"

namespace zap::simulation {

class Promises {
 public:
  Promises(const Scenario& scenario, const Gate& gate, Verdict& verdict);

  /// A correct node lets a message go.
  void said(NodeId node, const Message& message, const Disk& disk, const EngineState& state);
  /// A correct node writes: proofs must prove.
  void wrote(NodeId node, const pbft::Record& record);
  /// After every step of a correct node.
  void stands(NodeId node, const EngineState& state);
  /// A correct node starts again, with this much of its disk.
  void restarted(NodeId node, const Disk& disk);

  /// Correct nodes that committed this batch in one view, at most.
  std::uint32_t committers(Seq seq, const Digest& digest) const;

 private:
  enum class Phase : std::uint64_t {
    kPrePrepare,
    kPrepare,
    kCommit,
    kCheckpoint,
    kViewChange,
    kNewView
  };
  struct Node {
    std::unordered_map<std::uint64_t, Digest> votes;  ///< by (phase, view, seq); never iterated
    View left = 0;   ///< every view below has been left by a VIEW-CHANGE
    View view = 0;   ///< of this life, at the last step
    Seq stable = 0;  ///< the newest proof written
  };

  void vote(NodeId node, Phase phase, View view, Seq seq, const Digest& value);
  void rests_on(NodeId node, const Message& message, const Disk& disk, Disk::Basis basis, View view,
                Seq seq, const Digest& digest);
  void in_window(NodeId node, Seq seq, const EngineState& state);
  void fail(NodeId node, const std::string& what);

  const Gate& gate_;
  Verdict& verdict_;
  const Quorum quorum_;
  std::vector<Node> nodes_;
  std::unordered_map<Seq, Digest> checkpoints_;
  std::unordered_map<std::uint64_t, std::uint32_t> commits_;  ///< (view, seq, digest): who
  std::unordered_map<std::uint64_t, std::uint32_t> most_;     ///< (seq, digest): how many
};

}  // namespace zap::simulation
