#include "proxy/peers/peer_view.h"

#include <algorithm>

#include "consensus/pbft/settings.h"

namespace zap {

void PeerView::decided(const Decision& decision) {
  for (const DecidedCall& call : decision.calls)
    newest_index_ = std::max(newest_index_, call.index);
  newest_seq_ = decision.seq;
  slots_[newest_seq_ % kRemembered] = {newest_seq_, newest_index_};
}

NodeState PeerView::state_of(NodeId peer, bool connected) const {
  if (!connected) return NodeState::kUnreachable;
  const auto said = said_.find(peer);
  if (said == said_.end() || said->second.returning) return NodeState::kStarting;
  if (!said->second.active) return NodeState::kViewChange;
  const bool behind = said->second.decided + pbft::kCheckpointInterval < newest_seq_;
  return behind ? NodeState::kCatchingUp : NodeState::kNormal;
}

std::optional<Index> PeerView::commit_index_of(NodeId peer) const {
  const auto said = said_.find(peer);
  if (said == said_.end()) return std::nullopt;
  const Seq seq = std::min(said->second.decided, newest_seq_);
  if (seq == 0) return 0;
  const SlotEnd& slot = slots_[seq % kRemembered];
  return slot.seq == seq ? std::optional(slot.last_index) : std::nullopt;
}

}  // namespace zap
