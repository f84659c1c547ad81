// proxy/face/status.h - what one node tells about itself and, as far as it knows, about the others.
//
// Plain values, gathered by the sidecar when somebody asks; the admin server shows them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "proxy/clients/outcomes.h"

namespace zap {

enum class NodeState {
  kStarting,
  kCatchingUp,
  kNormal,
  kViewChange,
  kQuarantined,
  kDraining,
  kUnreachable,
};
/// As /status spells it: "starting", "catching_up", ...
std::string_view to_string(NodeState state);

struct NodeStatus {
  struct App {
    std::string address;
    std::string state;  ///< "ok", or a sentence
    Index applied_index = 0;
  };
  struct Node {
    std::string id;
    std::string address;
    NodeState state = NodeState::kUnreachable;
    std::optional<Index> commit_index;  ///< none: it has not said
  };

  std::string node_id;
  ClusterId cluster;
  std::string protocol;
  std::string version;
  std::optional<std::string> leader;
  View term = 0;
  Index commit_index = 0;
  Index applied_index = 0;
  NodeState state = NodeState::kStarting;
  std::vector<App> apps;  ///< the first one is shown as "app", too
  std::vector<Node> nodes;
  std::vector<std::string> alarms;     ///< what an operator must look at
  std::vector<std::string> not_ready;  ///< why /readyz says 503; empty: it says 200
};

/// The body of GET /status.
std::string status_json(const NodeStatus& status);
/// The body of GET /readyz.
std::string readiness_json(const NodeStatus& status);

/// The body of GET /op/{id}.
struct OperationStatus {
  std::string id;
  bool pending = false;                  ///< taken here and not decided yet
  std::optional<Outcomes::Known> known;  ///< decided here, not too long ago
};
std::string operation_json(const OperationStatus& operation);

/// {"error":{"code","message","details"}}
std::string error_json(std::string_view code, std::string_view message);

}  // namespace zap
