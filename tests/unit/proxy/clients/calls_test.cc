#include "proxy/clients/calls.h"

#include <catch2/catch.hpp>

#include "core/limits.h"

using namespace zap;
using namespace std::chrono_literals;
using Kind = CallEnd::Kind;

namespace {

constexpr NodeId kSelf = 0;
constexpr Instant kStart{1000s};
constexpr View kView = 3;

const config::Method kWrite{.match = "POST /orders", .mode = config::Mode::kReplicated};
const config::Method kRead{.match = "GET /orders", .mode = config::Mode::kLinearizable};

Reply reply_of(const char* text) {
  return {Bytes(text), Hasher("test").add(std::string_view(text)).finish()};
}

struct Fetch {
  OperationId id;
  Digest agreed;
  std::vector<NodeId> donors;
};

struct Table {
  explicit Table(config::Replies rule = config::Replies::kQuorum, std::uint32_t n = 4)
      : calls(kSelf, 7, Quorum{n}, rule,
              {.ended =
                   [this](const WaitingCall& call, const CallEnd& end, const CallTimes&) {
                     ended.push_back(end);
                     sequences.push_back(call.sequence);
                   },
               .fetch =
                   [this](const CallPtr& call, const Digest& agreed, auto donors) {
                     fetches.push_back({call->operation.id, agreed, std::move(donors)});
                   },
               .forget_fetch = [this](const OperationId&) { ++forgotten; },
               .expects_local = [this](const Call&) { return expects_local; },
               .mute = [this]() -> const std::vector<NodeId>& { return mute; },
               .diverged = [this](const Divergence& found) { diverged.push_back(found); },
               .disagreed = [this](const Disagreement& found) { disagreed.push_back(found); }}) {}

  OperationId take(std::uint64_t sequence, Duration timeout = 10s,
                   const config::Method& method = kWrite) {
    return calls.take({.sequence = sequence, .method = &method, .deadline = kStart + timeout});
  }
  OperationId take_decided(Index index, const config::Method& method = kWrite) {
    const OperationId id = take(index, 10s, method);
    decide(id, index);
    return id;
  }
  void decide(const OperationId& id, Index index, Outcome outcome = Outcome::kApplied) {
    auto call = std::make_shared<Call>(Operation{.id = id});
    calls.decided({.call = call, .outcome = outcome, .index = index}, kView, kStart);
  }
  void answer_locally(const OperationId& id, const char* text, bool counts = true) {
    const Reply reply = reply_of(text);
    calls.local_reply(id, &reply, counts, kStart);
  }
  void peer_says(NodeId peer, const OperationId& id, const char* text) {
    calls.peer_reply(peer, id, reply_of(text).compared, kStart);
  }

  std::vector<CallEnd> ended;
  std::vector<std::uint64_t> sequences;
  std::vector<Fetch> fetches;
  std::vector<Divergence> diverged;
  std::vector<Disagreement> disagreed;
  std::size_t forgotten = 0;
  bool expects_local = true;
  std::vector<NodeId> mute;
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

TEST_CASE("calls: where f + 1 others gave another answer than ours, theirs is fetched and given") {
  Table table;
  const OperationId id = table.take_decided(5);
  table.answer_locally(id, "mine");
  table.peer_says(1, id, "theirs");
  CHECK(table.fetches.empty());
  table.peer_says(2, id, "theirs");
  CHECK(table.ended.empty());
  REQUIRE(table.fetches.size() == 1);
  CHECK(table.fetches[0].agreed == reply_of("theirs").compared);
  CHECK(table.fetches[0].donors == std::vector<NodeId>{1, 2});
  const Reply theirs = reply_of("theirs");
  table.calls.fetched(id, &theirs, kStart);
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].kind == Kind::kAnswered);
  CHECK(table.ended[0].index == 5);
  CHECK(table.ended[0].reply.payload == Bytes("theirs"));
}

TEST_CASE("calls: an agreed answer waits for the local one, but not for long") {
  Table table;
  const OperationId first = table.take_decided(1);
  table.peer_says(1, first, "ok");
  table.peer_says(2, first, "ok");
  table.calls.tick(kStart + 1ms);
  CHECK(table.fetches.empty());
  table.calls.tick(kStart + limits::kLocalAnswerPatience);
  CHECK(table.fetches.size() == 1);

  // Late once, it is not waited for in the time after; it may yet be faster than the fetch.
  const OperationId second = table.take_decided(2);
  table.peer_says(1, second, "ok");
  table.peer_says(2, second, "ok");
  table.calls.tick(kStart + limits::kLocalAnswerPatience + 1ms);
  CHECK(table.fetches.size() == 2);
  table.answer_locally(second, "ok");
  CHECK(table.ended.size() == 1);
  CHECK(table.forgotten == 1);
}

TEST_CASE("calls: an application that is not there is not waited for") {
  Table table;
  table.expects_local = false;
  const OperationId id = table.take_decided(1);
  table.peer_says(1, id, "ok");
  table.peer_says(3, id, "ok");
  REQUIRE(table.fetches.size() == 1);
  table.calls.fetched(id, nullptr, kStart);  // nobody has it any more
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].kind == Kind::kLost);
}

TEST_CASE("calls: the answer to a replay is given where it is the agreed one, and never counted") {
  Table table;
  const OperationId id = table.take_decided(1);
  table.answer_locally(id, "ok", /*counts=*/false);
  table.peer_says(1, id, "ok");
  CHECK(table.ended.empty());
  table.peer_says(2, id, "ok");
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].kind == Kind::kAnswered);
  CHECK(table.fetches.empty());

  const OperationId other = table.take_decided(2);
  table.answer_locally(other, "seen", /*counts=*/false);
  for (const NodeId peer : {1, 2, 3}) table.peer_says(peer, other, "ok");
  CHECK(table.fetches.size() == 1);
  CHECK(table.diverged.empty());
}

TEST_CASE("calls: where answers were lost, not where they differ, the client is told so") {
  Table table;
  const OperationId id = table.take_decided(1);
  table.calls.local_reply(id, nullptr, true, kStart);
  table.calls.peer_reply(1, id, std::nullopt, kStart);
  table.peer_says(2, id, "a");
  CHECK(table.ended.empty());
  table.peer_says(3, id, "b");
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].kind == Kind::kLost);
}

TEST_CASE("calls: nodes in quarantine are not waited for") {
  Table table;
  const OperationId id = table.take_decided(1);
  table.answer_locally(id, "a");
  table.peer_says(1, id, "b");
  table.peer_says(2, id, "c");
  CHECK(table.ended.empty());
  table.mute = {2};  // has voted: still the fourth may agree
  table.calls.tick(kStart);
  CHECK(table.ended.empty());
  table.mute = {3};
  table.calls.tick(kStart);
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].kind == Kind::kDiffer);
}

TEST_CASE("calls: who gave another answer than q others has diverged, and is named once") {
  Table table;
  const OperationId id = table.take_decided(5);
  table.peer_says(3, id, "wrong");
  table.answer_locally(id, "ok");
  table.peer_says(1, id, "ok");
  CHECK(table.ended.size() == 1);
  table.calls.tick(kStart);
  CHECK(table.diverged.empty());
  table.peer_says(2, id, "ok");
  REQUIRE(table.diverged.size() == 1);
  CHECK(table.diverged[0].node == 3);
  CHECK(table.diverged[0].index == 5);
  CHECK(table.diverged[0].method == "POST /orders");
  CHECK(table.diverged[0].given == reply_of("wrong").compared);
  CHECK(table.diverged[0].agreed == reply_of("ok").compared);
  table.calls.tick(kStart);
  CHECK(table.disagreed.empty());
}

TEST_CASE("calls: a node that answers last is compared, too; our own likewise") {
  Table table;
  const OperationId id = table.take_decided(5);
  table.expects_local = false;
  for (const NodeId peer : {1, 2, 3}) table.peer_says(peer, id, "ok");
  const Reply agreed = reply_of("ok");
  table.calls.fetched(id, &agreed, kStart);
  table.calls.tick(kStart);
  CHECK(table.ended.size() == 1);
  table.answer_locally(id, "wrong");
  REQUIRE(table.diverged.size() == 1);
  CHECK(table.diverged[0].node == kSelf);
}

TEST_CASE("calls: two of four against two accuse nobody: the method is not deterministic") {
  Table table;
  const OperationId id = table.take_decided(1);
  table.answer_locally(id, "a");
  table.peer_says(1, id, "b");
  table.peer_says(2, id, "a");
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].kind == Kind::kAnswered);
  table.peer_says(3, id, "b");
  table.calls.tick(kStart);
  CHECK(table.diverged.empty());
  REQUIRE(table.disagreed.size() == 1);
  CHECK(table.disagreed[0].method == "POST /orders");
}

TEST_CASE("calls: two, one, and one: the two are believed, nobody is accused") {
  Table table;
  const OperationId id = table.take_decided(1);
  table.answer_locally(id, "x");
  table.peer_says(1, id, "a");
  table.peer_says(2, id, "b");
  table.peer_says(3, id, "a");
  CHECK(table.fetches.size() == 1);
  CHECK(table.diverged.empty());
}

TEST_CASE("calls: two against one, and one silent: nobody is accused while it is") {
  Table table;
  const OperationId id = table.take_decided(1);
  table.answer_locally(id, "a");
  table.peer_says(1, id, "a");
  table.peer_says(2, id, "wrong");
  table.calls.tick(kStart);
  CHECK(table.diverged.empty());
  CHECK(table.disagreed.empty());
  table.peer_says(3, id, "a");
  CHECK(table.diverged.size() == 1);
}

TEST_CASE("calls: answers to reads accuse nobody") {
  Table table;
  const OperationId id = table.take_decided(1, kRead);
  table.answer_locally(id, "a");
  for (const NodeId peer : {1, 2}) table.peer_says(peer, id, "a");
  table.peer_says(3, id, "wrong");
  table.calls.tick(kStart);
  CHECK(table.diverged.empty());
  CHECK(table.disagreed.empty());
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

TEST_CASE("calls: what was ordered too late, or whose only answer was lost, says so") {
  Table table(config::Replies::kLocal);
  const OperationId late = table.take(1);
  const OperationId lost = table.take(2);
  table.decide(late, 0, Outcome::kExpired);
  table.decide(lost, 8);
  table.calls.local_reply(lost, nullptr, true, kStart);
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
  table.calls.tick(kStart + 2s);
  REQUIRE(table.ended.size() == 1);
  CHECK(table.ended[0].id == fast);
  CHECK(table.ended[0].kind == Kind::kTimedOut);
  CHECK(table.calls.is_pending(slow));

  table.decide(fast, 1);
  table.answer_locally(fast, "too late");
  table.calls.tick(kStart + 61s);
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
