#include "proxy/answers/app_census.h"

#include <algorithm>
#include <utility>

namespace zap {

bool AppCensus::is_quarantined(NodeId node) const {
  const auto found = others_.find(node);
  return found != others_.end() && found->second.quarantined_at != 0;
}

void AppCensus::said(NodeId node, const wire::AppState& state) {
  others_[node] = state;
  std::erase(mute_, node);
  if (state.quarantined_at != 0) mute_.push_back(node);
}

std::vector<NodeId> AppCensus::ready() const {
  std::vector<NodeId> nodes;
  for (const auto& [node, state] : others_) {
    if (state.ready) nodes.push_back(node);
  }
  return nodes;
}

bool AppCensus::stands(Index quarantined_at) const {
  const auto own = std::pair(quarantined_at, self_);
  const auto before = std::count_if(others_.begin(), others_.end(), [&](const auto& each) {
    const auto& [node, state] = each;
    return state.quarantined_at != 0 && std::pair(state.quarantined_at, node) < own;
  });
  return static_cast<std::size_t>(before) + 1 + quorum_.size() <= quorum_.n;
}

}  // namespace zap
