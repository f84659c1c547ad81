#include "proxy/clients/calls.h"

#include <catch2/catch.hpp>

using namespace zap;
using namespace std::chrono_literals;
using Kind = CallEnd::Kind;

namespace {

constexpr NodeId kSelf = 0;
constexpr Instant kStart{1000s};
constexpr View kView = 3;

struct Table {
  explicit Table(config::Replies rule = config::Replies::kQuorum, std::uint32_t n = 4)
      : calls(kSelf, 7, Quorum{n}, rule,
              [this](const WaitingCall& call, const CallEnd& end, const CallTimes&) {
                ended.push_back(end);
                sequences.push_back(call.sequence);
              }) {}

  OperationId take(std::uint64_t sequence, Duration timeout = 10s) {
    return calls.take({.sequence = sequence, .deadline = kStart + timeout});
  }
  void decide(const OperationId& id, Index index, Outcome outcome = Outcome::kApplied) {
    auto call = std::make_shared<Call>(Operation{.id = id});
    calls.decided({.call = call, .outcome = outcome, .index = index}, kView, kStart);
  }
  void answer_locally(const OperationId& id, const char* text) {
    const Reply reply{Bytes(text), Hasher("test").add(std::string_view(text)).finish()};
    calls.local_reply(id, &reply, kStart);
  }
  void peer_says(NodeId peer, const OperationId& id, const char* text) {
    calls.peer_reply(peer, id, Hasher("test").add(std::string_view(text)).finish(), kStart);
  }

  std::vector<CallEnd> ended;
  std::vector<std::uint64_t> sequences;
  Calls calls;
};

}  // namespace

TEST_CASE("calls: numbers count from 1 without gaps and carry the incarnation") {
  Table table;
  CHECK(table.take(1) == OperationId{kSelf, 7, 1});
  CHECK(table.take(2) == OperationId{kSelf, 7, 2});
  CHECK(table.calls.waiting() == 2);
}

TEST_CASE("calls: the answer leaves once f + 1 nodes gave it, the local one among them") {
  Table table;
  const OperationId id = table.take(42);
  table.decide(id, 9);
  table.answer_locally(id, "ok");
  CHECK(table.ended.empty());
  table.peer_says(2, id, "ok");
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].kind == Kind::kAnswered);
  CHECK(table.ended[0].index == 9);
  CHECK(table.ended[0].view == kView);
  CHECK(table.ended[0].reply.payload == Bytes("ok"));
  CHECK(table.sequences[0] == 42);
  CHECK(table.calls.waiting() == 0);
}

TEST_CASE("calls: peers may be faster than the local application") {
  Table table;
  const OperationId id = table.take(1);
  table.peer_says(1, id, "ok");
  table.peer_says(2, id, "ok");
  CHECK(table.ended.empty());
  table.decide(id, 1);
  table.answer_locally(id, "ok");
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].kind == Kind::kAnswered);
}

TEST_CASE("calls: one peer counts once, whatever it repeats") {
  Table table(config::Replies::kQuorum, 7);
  const OperationId id = table.take(1);
  table.decide(id, 1);
  table.answer_locally(id, "ok");
  table.peer_says(1, id, "ok");
  table.peer_says(1, id, "ok");
  CHECK(table.ended.empty());
  table.peer_says(2, id, "ok");
  CHECK(table.ended.size() == 1);
}

TEST_CASE("calls: an answer that differs from what f + 1 others gave is never given") {
  Table table;
  const OperationId id = table.take(1);
  table.decide(id, 5);
  table.answer_locally(id, "mine");
  table.peer_says(1, id, "theirs");
  CHECK(table.ended.empty());
  table.peer_says(2, id, "theirs");
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].kind == Kind::kDiffer);
  CHECK(table.ended[0].index == 5);
}

TEST_CASE("calls: when nobody can still agree, the client is told so") {
  Table table;
  const OperationId id = table.take(1);
  table.decide(id, 5);
  table.answer_locally(id, "a");
  table.peer_says(1, id, "b");
  table.peer_says(2, id, "c");
  CHECK(table.ended.empty());
  table.peer_says(3, id, "d");
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].kind == Kind::kDiffer);
}

TEST_CASE("calls: with replies local the local answer is enough") {
  Table table(config::Replies::kLocal);
  const OperationId id = table.take(1);
  table.decide(id, 1);
  table.answer_locally(id, "ok");
  CHECK(table.ended.size() == 1);
}

TEST_CASE("calls: what was ordered too late, or whose answer was lost, says so") {
  Table table;
  const OperationId late = table.take(1);
  const OperationId lost = table.take(2);
  table.decide(late, 0, Outcome::kExpired);
  table.decide(lost, 8);
  table.calls.local_reply(lost, nullptr, kStart);
  REQUIRE(table.ended.size() == 2);
  CHECK(table.ended[0].kind == Kind::kNotExecuted);
  CHECK(table.ended[1].kind == Kind::kLost);
  CHECK(table.ended[1].index == 8);
}

TEST_CASE("calls: a decision that repeats an id changes nothing") {
  Table table;
  const OperationId id = table.take(1);
  table.decide(id, 3);
  table.decide(id, 0, Outcome::kDuplicate);
  CHECK(table.ended.empty());
  CHECK_FALSE(table.calls.is_pending(id));
}

TEST_CASE("calls: each ends at its own deadline, once") {
  Table table;
  const OperationId slow = table.take(1, 60s);
  const OperationId fast = table.take(2, 1s);
  table.calls.expire(kStart + 2s);
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].id == fast);
  CHECK(table.ended[0].kind == Kind::kTimedOut);
  CHECK(table.calls.is_pending(slow));

  table.decide(fast, 1);
  table.answer_locally(fast, "too late");
  table.calls.expire(kStart + 61s);
  REQUIRE(table.ended.size() == 2);
  CHECK(table.ended[1].id == slow);
  CHECK(table.take(3).number == 3);
}

TEST_CASE("calls: words about calls of others, or not made yet, are ignored") {
  Table table;
  const OperationId id = table.take(1);
  table.peer_says(1, {kSelf, 6, 1}, "x");
  table.peer_says(1, {2, 7, 1}, "x");
  table.peer_says(1, {kSelf, 7, 99}, "x");
  CHECK(table.ended.empty());
  CHECK(table.calls.is_pending(id));
}
