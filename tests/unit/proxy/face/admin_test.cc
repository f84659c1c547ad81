#include "proxy/face/admin.h"

#include <catch2/catch.hpp>

#include "proxy/clients/outcomes.h"
#include "proxy/face/metrics.h"

using namespace zap;

namespace {

Decision decision_of(const OperationId& id, Outcome outcome, Index index) {
  Decision decision;
  decision.calls.push_back(
      {.call = std::make_shared<Call>(Operation{.id = id}), .outcome = outcome, .index = index});
  return decision;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("admin: a foreign Host is not ours") {
  const Address own{.host = "admin.example", .port = 9901};
  CHECK(is_own_host("admin.example:9901", own));
  CHECK(is_own_host("127.0.0.1:9901", own));
  CHECK(is_own_host("[::1]:9901", own));
  CHECK(is_own_host("localhost", own));
  CHECK(is_own_host("LocalHost:9901", own));
  CHECK_FALSE(is_own_host("evil.example:9901", own));
  CHECK_FALSE(is_own_host("127.0.0.1.evil.example", own));
  CHECK_FALSE(is_own_host("[::1", own));
  CHECK_FALSE(is_own_host("", own));
}

TEST_CASE("outcomes: a call is remembered by its whole id until its ring comes round") {
  Outcomes outcomes(4);
  outcomes.add(decision_of({1, 1, 2}, Outcome::kApplied, 77));
  outcomes.add(decision_of({1, 1, 2}, Outcome::kDuplicate, 0));
  outcomes.add(decision_of({2, 1, 2}, Outcome::kExpired, 0));
  REQUIRE(outcomes.find({1, 1, 2}));
  CHECK(outcomes.find({1, 1, 2})->index == 77);
  CHECK(outcomes.find({2, 1, 2})->outcome == Outcome::kExpired);
  CHECK_FALSE(outcomes.find({1, 2, 2}));
  CHECK_FALSE(outcomes.find({3, 1, 2}));

  outcomes.add(decision_of({1, 1, 6}, Outcome::kApplied, 78));
  CHECK_FALSE(outcomes.find({1, 1, 2}));
  CHECK(outcomes.find({1, 1, 6})->index == 78);
}

TEST_CASE(
    "status: an operation is unknown, pending, committed with its index, expired or refused") {
  using Known = Outcomes::Known;
  CHECK(contains(operation_json({.id = "node1-1-1"}),
                 "{\"id\":\"node1-1-1\",\"state\":\"unknown\",\"meaning\":\"this node never knew"));
  CHECK(contains(operation_json({.id = "x", .pending = true}), "\"pending\""));
  CHECK(contains(operation_json({.id = "x", .known = Known{Outcome::kApplied, 9}}),
                 "{\"id\":\"x\",\"state\":\"committed\",\"index\":9,\"meaning\":"));
  CHECK(contains(operation_json({.id = "x", .known = Known{Outcome::kRepeated, 9}}),
                 "\"state\":\"committed\",\"index\":9"));
  CHECK(contains(operation_json({.id = "x", .known = Known{Outcome::kKeyReused, 9}}),
                 "\"refused\",\"meaning\":\"its idempotency key"));
  CHECK(contains(operation_json({.id = "x", .known = Known{Outcome::kExpired, 0}}), "\"expired\""));
  CHECK(contains(operation_json({.id = "x", .known = Known{Outcome::kVoid, 0}}), "\"refused\""));
}

TEST_CASE("status: the names are the product's, an unknown leader is null") {
  NodeStatus status{.node_id = "node1", .cluster = "7f3a", .protocol = "pbft", .version = "0.1.0"};
  status.term = 3;
  status.commit_index = 1042;
  status.applied_index = 1041;
  status.state = NodeState::kNormal;
  status.apps.push_back({"127.0.0.1:5001", "ok", 1041});
  status.nodes.push_back({"node2", "127.0.0.1:9002", NodeState::kUnreachable, std::nullopt});
  const std::string json = status_json(status);
  CHECK(contains(json, "\"node_id\":\"node1\",\"cluster\":\"7f3a\",\"protocol\":\"pbft\""));
  CHECK(contains(json,
                 "\"leader\":null,\"term\":3,\"commit_index\":1042,\"applied_index\":1041,"
                 "\"state\":\"normal\",\"app\":{"));
  CHECK(contains(json, "\"state\":\"unreachable\",\"commit_index\":null"));
  status.leader = "node2";
  CHECK(contains(status_json(status), "\"leader\":\"node2\""));
}

TEST_CASE("status: what an application said in bytes that are no text is still shown as JSON") {
  NodeStatus status{.node_id = "node1"};
  status.not_ready = {"application: \xff\xfe"};
  CHECK(contains(readiness_json(status), "\"ready\":false"));
}

TEST_CASE("metrics: names that dashboards rely on") {
  Membership membership{.members = {{.id = 0, .name = "node1"}, {.id = 1, .name = "node2"}}};
  Metrics metrics(membership, "node1", "0.1.0");
  metrics.prepare_seconds.Observe(0.002);
  metrics.set_leader("node2");
  metrics.term.Set(3);
  metrics.count_request(config::Mode::kReplicated, "ok");
  metrics.count_request(config::Mode::kReplicated, "ok");
  const std::string text = metrics.text();
  CHECK(contains(text, "zap_consensus_latency_seconds_bucket{phase=\"prepare\",le=\"0.0025\"} 1"));
  CHECK(contains(text, "zap_consensus_leader{node_id=\"node1\"} 0"));
  CHECK(contains(text, "zap_consensus_leader{node_id=\"node2\"} 1"));
  CHECK(contains(text, "zap_consensus_term 3"));
  CHECK(contains(text, "zap_consensus_operations_total 0"));
  CHECK(contains(text, "zap_consensus_operations_per_second 0"));
  CHECK(contains(text, "zap_consensus_commit_index 0"));
  CHECK(contains(text, "zap_sidecar_requests_total{code=\"ok\",mode=\"replicated\"} 2"));
}

TEST_CASE("metrics: the rate is that of the last ten seconds") {
  Metrics metrics(Membership{}, "node1", "0.1.0");
  metrics.sample_rate();
  for (int second = 0; second < 30; ++second) {
    metrics.operations.Increment(second < 20 ? 100 : 50);
    metrics.sample_rate();
  }
  CHECK(metrics.operations_per_second.Value() == Approx(50));
}
