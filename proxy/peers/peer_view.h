// proxy/peers/peer_view.h - what this node knows of the others, from the status that each sends in
// every round_timeout: for /status, never for a decision.
//
// Status speaks of slots; users think in indexes. Every node gives the same slot the same last
// index, so the slots decided here recently translate one into the other.
//
// Threads: lives on the main loop.

#pragma once

#include <array>
#include <map>
#include <optional>

#include "consensus/pbft/messages.h"
#include "core/ids.h"
#include "core/operation.h"
#include "proxy/face/status.h"

namespace zap {

class PeerView {
 public:
  void decided(const Decision& decision);
  void said(NodeId from, const pbft::Status& status) { said_[from] = status; }
  /// The link is gone: what it said is of the past.
  void lost(NodeId peer) { said_.erase(peer); }

  NodeState state_of(NodeId peer, bool connected) const;
  /// As far as it said and this node has decided; none where the slot is not remembered.
  std::optional<Index> commit_index_of(NodeId peer) const;

 private:
  static constexpr std::size_t kRemembered = 4096;
  struct SlotEnd {
    Seq seq = 0;
    Index last_index = 0;
  };

  std::map<NodeId, pbft::Status> said_;
  std::array<SlotEnd, kRemembered> slots_{};  ///< slot s at s % kRemembered
  Seq newest_seq_ = 0;
  Index newest_index_ = 0;
};

}  // namespace zap
