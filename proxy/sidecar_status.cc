// What the admin server shows of a sidecar.

#include <algorithm>
#include <string>

#include "proxy/sidecar.h"

namespace zap {

NodeStatus Sidecar::status() const {
  const EngineState engine = engine_->state();
  NodeStatus status{.node_id = config_.node_id,
                    .cluster = config_.cluster,
                    .protocol = "pbft",
                    .version = ZAP_VERSION,
                    .term = engine.view,
                    .commit_index = engine.commit_index,
                    .applied_index = applied_index(),
                    .state = own_state(),
                    .alarms = alarms(),
                    .not_ready = reasons_not_ready()};
  if (engine.leader) status.leader = membership_.name_of(*engine.leader);
  for (const auto& app : apps_) {
    status.apps.push_back(
        {to_string(app->address()), app->health().text(), app->applier().applied()});
  }
  for (const Member& member : membership_.members) {
    const bool self = member.id == config_.self;
    status.nodes.push_back(
        {.id = member.name,
         .address = member.address,
         .state = self ? status.state : state_of_peer(member.id),
         .commit_index = self ? status.commit_index : peer_view_.commit_index_of(member.id)});
  }
  return status;
}

std::vector<std::string> Sidecar::alarms() const {
  std::vector<std::string> alarms = determinism_alarm_.sentences();
  for (std::string& sentence : evidence_.sentences()) alarms.push_back(std::move(sentence));
  return alarms;
}

NodeState Sidecar::state_of_peer(NodeId peer) const {
  const bool connected = peers_->is_connected(peer);
  if (connected && exchange_->census().is_quarantined(peer)) return NodeState::kQuarantined;
  return peer_view_.state_of(peer, connected);
}

NodeState Sidecar::own_state() const {
  if (router_->draining()) return NodeState::kDraining;
  if (own_app_state().quarantined_at != 0) return NodeState::kQuarantined;
  switch (engine_->state().phase) {
    case EngineState::Phase::kStarting:
      return NodeState::kStarting;
    case EngineState::Phase::kCatchingUp:
      return router_->is_behind() ? NodeState::kCatchingUp : NodeState::kNormal;
    case EngineState::Phase::kNormal:
      return NodeState::kNormal;
    case EngineState::Phase::kViewChange:
      return NodeState::kViewChange;
  }
  return NodeState::kStarting;
}

std::vector<std::string> Sidecar::reasons_not_ready() const {
  std::vector<std::string> reasons;
  const auto add = [&](std::string reason) { reasons.push_back(std::move(reason)); };
  for (const auto& app : apps_) {
    for (const auto& refusal :
         {router_->refusal(app->applier()), Router::app_refusal(app->applier())}) {
      if (!refusal || refusal->code == ProxyErrorCode::kOverloaded) continue;
      add(refusal->details.empty() ? refusal->message : refusal->message + ": " + refusal->details);
    }
  }
  if (own_state() == NodeState::kViewChange) add("the nodes are electing a leader");
  std::sort(reasons.begin(), reasons.end());
  reasons.erase(std::unique(reasons.begin(), reasons.end()), reasons.end());
  return reasons;
}

Index Sidecar::applied_index() const {
  Index applied = engine_->state().commit_index;
  for (const auto& app : apps_) applied = std::min(applied, app->applier().applied());
  return applied;
}

Result<OperationStatus> Sidecar::operation_status(std::string_view text) const {
  const auto id = parse_operation_id(text, membership_);
  if (!id) {
    return Error{ErrorCode::kInvalid,
                 "an operation id is NODE-INCARNATION-NUMBER, such as " + config_.node_id + "-1-1"};
  }
  return OperationStatus{.id = std::string(text),
                         .pending = router_->calls().is_pending(*id),
                         .known = outcomes_.find(*id)};
}

std::string Sidecar::metrics_text() {
  const EngineState engine = engine_->state();
  metrics_.term.Set(static_cast<double>(engine.view));
  metrics_.commit_index.Set(static_cast<double>(engine.commit_index));
  metrics_.applied_index.Set(static_cast<double>(applied_index()));
  metrics_.set_leader(engine.leader ? membership_.name_of(*engine.leader) : "");
  for (const Member& member : membership_.members) {
    metrics_.set_evidence(member.name, evidence_.count(member.name));
  }
  metrics_.clients.Set(static_cast<double>(client_load_.connections));
  metrics_.calls_waiting.Set(static_cast<double>(router_->calls().waiting()));
  metrics_.queue_bytes.Set(static_cast<double>(router_->queue_bytes()));
  metrics_.peers_up.Set(static_cast<double>(peers_->connected_count()));
  metrics_.app_ready.Set(std::all_of(apps_.begin(), apps_.end(),
                                     [](const auto& app) { return app->health().ready(); }));
  metrics_.app_diverged.Set(own_app_state().quarantined_at != 0);
  std::uint64_t attempts = 0;
  for (const auto& app : apps_) attempts = std::max(attempts, app->health().attempts);
  metrics_.app_blocked.Set(static_cast<double>(attempts));
  metrics_.app_nondeterministic.Set(static_cast<double>(determinism_alarm_.methods()));

  double refused = 0;
  for (const Member& member : membership_.members) {
    if (member.id == config_.self) continue;
    refused += static_cast<double>(peers_->stats(member.id).refused);
  }
  raise_to(metrics_.gate_failures, refused);
  raise_to(metrics_.clients_refused, static_cast<double>(client_load_.refused));
  const store::LogCounters& log = log_->counters();
  raise_to(metrics_.log_records, static_cast<double>(log.records));
  raise_to(metrics_.log_syncs, static_cast<double>(log.syncs));
  raise_to(metrics_.log_bytes, static_cast<double>(log.bytes));
  return metrics_.text();
}

}  // namespace zap
