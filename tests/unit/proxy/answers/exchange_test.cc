// Four nodes that tell each other about answers, over links that never lose anything.

#include "proxy/answers/exchange.h"

#include <catch2/catch.hpp>

#include "core/limits.h"
#include "tests/unit/proxy/loop_runner.h"

namespace zap {
namespace {

using namespace std::chrono_literals;

const Membership kMembers{.members = {{.id = 0, .name = "node1"},
                                      {.id = 1, .name = "node2"},
                                      {.id = 2, .name = "node3"},
                                      {.id = 3, .name = "node4"}}};

Digest digest_of(std::string_view text) { return Hasher("test").add(text).finish(); }
CallPtr call(std::uint64_t number, OperationKind kind = OperationKind::kCall) {
  return std::make_shared<const Call>(
      Operation{.id = {0, 7, number}, .listener = "main", .method = "POST /", .kind = kind});
}

struct Node {
  Node(EventLoop& loop, NodeId self, std::vector<std::unique_ptr<Node>>& nodes,
       bool compares = true)
      : exchange(loop, {.self = self, .compares = compares}, kMembers,
                 {.send =
                      [this, &loop, self, &nodes](NodeId to, const wire::AnswerMessage& message) {
                        ++sent;
                        loop.post([self, to, &nodes, message] {
                          nodes[to]->exchange.received(self, message);
                        });
                      },
                  .read = [](const Call&, const Bytes& answer) -> Result<Reply> {
                    return Reply{answer, digest_of(answer.view())};
                  },
                  .reply =
                      [this](NodeId from, const OperationId& id, const auto& compared) {
                        replies.emplace_back(from, id.number, compared);
                      },
                  .fetched =
                      [this](const OperationId&, const Reply* reply) {
                        fetched.push_back(reply ? std::string(reply->payload.view()) : "nothing");
                      },
                  .diverged = [this](const Divergence& found) { diverged.push_back(found); }}) {}

  std::size_t sent = 0;
  std::vector<std::tuple<NodeId, std::uint64_t, std::optional<Digest>>> replies;
  std::vector<std::string> fetched;
  std::vector<Divergence> diverged;
  AnswerExchange exchange;
};

struct Cluster {
  explicit Cluster(bool compares = true) {
    for (NodeId id = 0; id < 4; ++id) {
      nodes.push_back(std::make_unique<Node>(loop, id, nodes, compares));
    }
  }
  void answer(NodeId node, const CallPtr& call, const std::string& text, bool replay = false) {
    nodes[node]->exchange.answered({.index = call->operation.id.number,
                                    .call = call,
                                    .reply = Reply{Bytes(text), digest_of(text)},
                                    .replay = replay},
                                   1);
    run_for(loop, 5ms);
  }

  EventLoop loop;
  std::vector<std::unique_ptr<Node>> nodes;
};

TEST_CASE("exchange: an origin hears each node's digest, and of answers that do not count") {
  Cluster cluster;
  cluster.answer(0, call(1), "ok");
  cluster.answer(1, call(1), "ok");
  cluster.answer(2, call(1), "ok", /*replay=*/true);
  const auto& heard = cluster.nodes[0]->replies;
  REQUIRE(heard.size() == 2);
  CHECK(heard[0] == std::tuple(NodeId{1}, std::uint64_t{1}, std::optional(digest_of("ok"))));
  CHECK(heard[1] == std::tuple(NodeId{2}, std::uint64_t{1}, std::optional<Digest>()));
  CHECK(cluster.nodes[0]->sent == 0);
}

TEST_CASE("exchange: with replies local nobody hears of answers") {
  Cluster cluster(/*compares=*/false);
  cluster.answer(1, call(1), "ok");
  CHECK(cluster.nodes[1]->sent == 0);
}

TEST_CASE("exchange: an answer is fetched where it was given, not where another one was") {
  Cluster cluster;
  const CallPtr wanted = call(1);
  cluster.answer(1, wanted, "lie");
  cluster.answer(2, wanted, "ok");
  cluster.nodes[0]->exchange.fetch(wanted, digest_of("ok"), {1, 2});
  run_until(cluster.loop, [&] { return cluster.nodes[0]->fetched.size() == 1; });
  CHECK(cluster.nodes[0]->fetched[0] == "ok");
}

TEST_CASE("exchange: answers leave in messages of a bounded size") {
  Cluster cluster;
  const std::string large(limits::kAnswersBytes / 2 + 1, 'x');
  wire::FetchAnswers wanted;
  for (std::uint64_t number = 1; number <= 6; ++number) {
    cluster.answer(1, call(number), large);
    wanted.calls.push_back({0, 7, number});
  }
  const std::size_t before = cluster.nodes[1]->sent;
  cluster.nodes[1]->exchange.received(0, wanted);
  CHECK(cluster.nodes[1]->sent - before == 3);
}

TEST_CASE("exchange: who differs from q others finds out by itself") {
  Cluster cluster;
  for (const NodeId node : {0, 1, 2}) cluster.answer(node, call(1), "ok");
  cluster.answer(3, call(1), "wrong");
  cluster.nodes[0]->exchange.diverged({.node = 3, .id = {0, 7, 1}});
  run_until(cluster.loop, [&] { return !cluster.nodes[3]->diverged.empty(); });
  const Divergence& found = cluster.nodes[3]->diverged[0];
  CHECK(found.index == 1);
  CHECK(found.listener == "main");
  CHECK(found.method == "POST /");
  CHECK(found.given == digest_of("wrong"));
  CHECK(found.agreed == digest_of("ok"));
  for (const NodeId node : {0, 1, 2}) CHECK(cluster.nodes[node]->diverged.empty());
}

TEST_CASE("exchange: a false accusation, or one about a read, leads nowhere") {
  Cluster cluster;
  const CallPtr read = call(2, OperationKind::kOrderedRead);
  for (const NodeId node : {0, 1, 2, 3}) cluster.answer(node, call(1), "ok");
  for (const NodeId node : {0, 1, 2}) cluster.answer(node, read, "ok");
  cluster.answer(3, read, "another");
  for (const std::uint64_t number : {1, 2}) {
    cluster.nodes[0]->exchange.diverged({.node = 3, .id = {0, 7, number}});
  }
  run_for(cluster.loop, 20ms);
  CHECK(cluster.nodes[3]->diverged.empty());
}

TEST_CASE("exchange: a quarantine is told to all, and what was answered before is not given out") {
  Cluster cluster;
  cluster.answer(3, call(1), "wrong");
  cluster.nodes[3]->exchange.own_state({.ready = false, .quarantined_at = 1});
  const std::size_t sent = cluster.nodes[3]->sent;
  cluster.nodes[3]->exchange.own_state({.ready = false, .quarantined_at = 1});
  CHECK(cluster.nodes[3]->sent == sent);
  run_for(cluster.loop, 5ms);
  CHECK(cluster.nodes[0]->exchange.census().is_quarantined(3));
  cluster.nodes[0]->exchange.fetch(call(1), digest_of("wrong"), {3});
  run_until(cluster.loop, [&] { return cluster.nodes[0]->fetched.size() == 1; });
  CHECK(cluster.nodes[0]->fetched[0] == "nothing");
}

}  // namespace
}  // namespace zap
