// proxy/answers/app_census.h - how the applications of all nodes do, as each node says of its own:
// which answer, and which are quarantined.
//
// A node whose word is false harms nobody but itself: it takes the place of an application that
// lies, of which there may be f.
//
// Threads: lives on the main loop.

#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "consensus/wire/peer_messages.h"
#include "core/ids.h"
#include "core/membership.h"

namespace zap {

class AppCensus {
 public:
  AppCensus(NodeId self, Quorum quorum) : self_(self), quorum_(quorum) {}

  void said(NodeId node, const wire::AppState& state);
  /// Its link is gone. A quarantine outlives that, and its process.
  void lost(NodeId node) { others_[node].ready = false; }

  bool is_quarantined(NodeId node) const;
  /// Quarantined, this node's own not counted: they will give no answers.
  const std::vector<NodeId>& mute() const { return mute_; }
  /// Other nodes whose application answers.
  std::vector<NodeId> ready() const;

  /// A quarantine here leaves q healthy applications.
  bool may_quarantine() const { return mute_.size() + 1 + quorum_.size() <= quorum_.n; }
  /// Where several nodes made one at the same moment, those of the lowest index (then node) stand,
  /// as many as leave q healthy applications; every node comes to the same ones.
  bool stands(Index quarantined_at) const;

 private:
  const NodeId self_;
  const Quorum quorum_;
  std::map<NodeId, wire::AppState> others_;
  std::vector<NodeId> mute_;  ///< of others_; looked at for every call
};

}  // namespace zap
