#include "proxy/face/status.h"

#include <nlohmann/json.hpp>

namespace zap {
namespace {

using Json = nlohmann::ordered_json;

/// What others wrote may be no UTF-8: it is shown as far as it is.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json app_json(const NodeStatus::App& app) {
  return {{"address", app.address}, {"state", app.state}, {"applied_index", app.applied_index}};
}

Json node_json(const NodeStatus::Node& node) {
  return {{"id", node.id},
          {"address", node.address},
          {"state", to_string(node.state)},
          {"commit_index", node.commit_index ? Json(*node.commit_index) : Json()}};
}

/// What became of an operation, for programs and for people.
struct OperationState {
  std::string_view name;
  std::string_view meaning;
};

OperationState state_of(const OperationStatus& operation) {
  if (!operation.known) {
    if (operation.pending) return {"pending", "taken here, and not decided yet: ask again"};
    return {"unknown",
            "this node never knew it, or knows it no longer: it may be executed all the same"};
  }
  switch (operation.known->outcome) {
    case Outcome::kApplied:
      return {"committed", "every application executes it, at this index"};
    case Outcome::kRepeated:
      return {"committed",
              "its idempotency key was used before: the call at this index stands "
              "for it, and it is not executed again"};
    case Outcome::kBarrier:
      return {"committed", "reads have their place behind this index"};
    case Outcome::kExpired:
      return {"expired", "ordered after its deadline: it is executed nowhere, and never will be"};
    case Outcome::kKeyReused:
      return {"refused",
              "its idempotency key came with another request before: it is executed "
              "nowhere"};
    case Outcome::kDuplicate:
    case Outcome::kVoid:
      return {"refused",
              "its sidecar had started anew before it was ordered: it is executed "
              "nowhere"};
  }
  return {"unknown", ""};
}

}  // namespace

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::kStarting:
      return "starting";
    case NodeState::kCatchingUp:
      return "catching_up";
    case NodeState::kNormal:
      return "normal";
    case NodeState::kViewChange:
      return "view_change";
    case NodeState::kQuarantined:
      return "quarantined";
    case NodeState::kDraining:
      return "draining";
    case NodeState::kUnreachable:
      return "unreachable";
  }
  return "unreachable";
}

std::string status_json(const NodeStatus& status) {
  Json json = {{"node_id", status.node_id},
               {"cluster", status.cluster},
               {"protocol", status.protocol},
               {"version", status.version},
               {"leader", status.leader ? Json(*status.leader) : Json()},
               {"term", status.term},
               {"commit_index", status.commit_index},
               {"applied_index", status.applied_index},
               {"state", to_string(status.state)}};
  if (!status.apps.empty()) json["app"] = app_json(status.apps.front());
  json["apps"] = Json::array();
  for (const NodeStatus::App& app : status.apps) json["apps"].push_back(app_json(app));
  json["nodes"] = Json::array();
  for (const NodeStatus::Node& node : status.nodes) json["nodes"].push_back(node_json(node));
  json["alarms"] = status.alarms;
  return text_of(json);
}

std::string readiness_json(const NodeStatus& status) {
  return text_of({{"ready", status.not_ready.empty()}, {"reasons", status.not_ready}});
}

std::string operation_json(const OperationStatus& operation) {
  const OperationState state = state_of(operation);
  Json json = {{"id", operation.id}, {"state", state.name}};
  if (state.name == "committed") json["index"] = operation.known->index;
  json["meaning"] = state.meaning;
  return text_of(json);
}

std::string error_json(std::string_view code, std::string_view message) {
  return text_of({{"error", {{"code", code}, {"message", message}, {"details", ""}}}});
}

}  // namespace zap
