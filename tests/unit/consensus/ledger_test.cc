#include "consensus/ledger.h"

#include <catch2/catch.hpp>

using namespace zap;

namespace {

constexpr WallTime kFar = 1'000'000;

CallPtr call(NodeId origin, Incarnation incarnation, std::uint64_t number,
             WallTime deadline = kFar) {
  Operation operation;
  operation.id = {origin, incarnation, number};
  operation.deadline = deadline;
  operation.payload = "payload";
  return std::make_shared<const Call>(std::move(operation));
}

}  // namespace

TEST_CASE("indexes count applied calls alone, from 1, across slots") {
  Ledger ledger("cluster");
  const Decision first = ledger.execute(1, 0, 10, {call(0, 1, 1), call(1, 1, 1)});
  const Decision null_request = ledger.execute(2, 0, 0, {});
  const Decision second = ledger.execute(3, 0, 12, {call(0, 1, 1), call(0, 1, 2)});
  CHECK(first.calls[0].index == 1);
  CHECK(first.calls[1].index == 2);
  CHECK(null_request.calls.empty());
  CHECK(second.calls[0].outcome == Outcome::kDuplicate);
  CHECK(second.calls[1].index == 3);
  CHECK(ledger.last_index() == 3);
}

TEST_CASE("the agreed timestamp is never below that of the slot before, null requests included") {
  Ledger ledger("cluster");
  CHECK(ledger.execute(1, 0, 100, {}).timestamp == 100);
  CHECK(ledger.execute(2, 0, 0, {}).timestamp == 100);
  CHECK(ledger.execute(3, 0, 50, {}).timestamp == 100);
  CHECK(ledger.execute(4, 0, 101, {}).timestamp == 101);
}

TEST_CASE("a call decided after its deadline is skipped, and decided all the same") {
  Ledger ledger("cluster");
  const Decision late = ledger.execute(1, 0, 200, {call(0, 1, 1, 199)});
  CHECK(late.calls[0].outcome == Outcome::kExpired);
  CHECK(ledger.is_decided({0, 1, 1}));
  CHECK(ledger.execute(2, 0, 200, {call(0, 1, 2, 200)}).calls[0].outcome == Outcome::kApplied);
}

TEST_CASE("a new incarnation closes the old one") {
  Ledger ledger("cluster");
  ledger.execute(1, 0, 1, {call(0, 1, 1)});
  ledger.execute(2, 0, 1, {call(0, 2, 1)});
  const Decision old = ledger.execute(3, 0, 1, {call(0, 1, 2)});
  CHECK(old.calls[0].outcome == Outcome::kVoid);
  CHECK(ledger.is_decided({0, 1, 2}));
  CHECK_FALSE(ledger.admits({0, 1, 3}));
}

TEST_CASE("numbers may be decided in any order within the window, and never beyond it") {
  Ledger ledger("cluster");
  constexpr std::uint64_t kWindow = ClientRecord::kWindow;
  CHECK(ledger.admits({0, 1, kWindow}));
  CHECK_FALSE(ledger.admits({0, 1, kWindow + 1}));
  ledger.execute(1, 0, 1, {call(0, 1, kWindow), call(0, 1, 2)});
  CHECK(ledger.low_mark(0, 1) == 1);
  CHECK(ledger.execute(2, 0, 1, {call(0, 1, kWindow + 1)}).calls[0].outcome == Outcome::kVoid);
  ledger.execute(3, 0, 1, {call(0, 1, 1)});
  CHECK(ledger.low_mark(0, 1) == 3);
  CHECK(ledger.admits({0, 1, kWindow + 1}));
  CHECK(ledger.admits({0, 1, kWindow + 2}));
  CHECK_FALSE(ledger.admits({0, 1, kWindow + 3}));
  CHECK(ledger.is_decided({0, 1, kWindow}));
  CHECK_FALSE(ledger.is_decided({0, 1, 3}));
}

TEST_CASE("chain and checkpoint digest cover what was agreed, and not the view that decided it") {
  Ledger a("cluster"), b("cluster"), c("cluster");
  a.execute(1, 0, 5, {call(0, 1, 1)});
  b.execute(1, 7, 5, {call(0, 1, 1)});
  c.execute(1, 0, 6, {call(0, 1, 1)});
  CHECK(a.chain() == b.chain());
  CHECK(a.digest() == b.digest());
  CHECK(a.chain() != c.chain());
  CHECK(checkpoint_digest(a.digest(), 0, {}) != checkpoint_digest(a.digest(), 1, {}));
}

TEST_CASE("the seed of a call depends on its place in the order") {
  Ledger a("cluster"), b("cluster");
  const std::uint64_t first = a.execute(1, 0, 5, {call(0, 1, 1)}).calls[0].seed;
  b.execute(1, 0, 5, {call(1, 1, 1)});
  const std::uint64_t second = b.execute(2, 0, 5, {call(0, 1, 1)}).calls[0].seed;
  CHECK(first != second);
}

// ---------------------------------------------------------------- idempotency keys

namespace {

OnceKey once(std::uint64_t key, std::uint64_t request = 0) {
  return {Hasher("key").add(key).finish(), Hasher("request").add(request).finish()};
}

CallPtr keyed(std::uint64_t number, OnceKey key, WallTime deadline = kFar) {
  return std::make_shared<const Call>(
      Operation{.id = {0, 1, number}, .deadline = deadline, .payload = "payload", .once = key});
}

}  // namespace

TEST_CASE("the second call with a key is not applied; it is told the first one's index") {
  Ledger ledger("cluster");
  ledger.execute(1, 0, 10, {keyed(1, once(7)), call(0, 1, 2)});
  const Decision decision =
      ledger.execute(2, 0, 20, {keyed(3, once(7)), keyed(4, once(7, 1)), keyed(5, once(8))});
  CHECK(decision.calls[0].outcome == Outcome::kRepeated);
  CHECK(decision.calls[0].index == 1);
  CHECK(decision.calls[1].outcome == Outcome::kKeyReused);
  CHECK(decision.calls[2].outcome == Outcome::kApplied);
  CHECK(decision.calls[2].index == 3);
  CHECK(ledger.is_decided({0, 1, 3}));
}

TEST_CASE("a call that is late or refused uses up no key") {
  Ledger ledger("cluster");
  ledger.execute(1, 0, 200, {keyed(1, once(7), 199)});
  CHECK(ledger.execute(2, 0, 200, {keyed(2, once(7))}).calls[0].outcome == Outcome::kApplied);
  const Decision decision = ledger.execute(3, 0, 200, {keyed(2, once(8)), keyed(3, once(8))});
  CHECK(decision.calls[0].outcome == Outcome::kDuplicate);
  CHECK(decision.calls[1].outcome == Outcome::kApplied);
}

TEST_CASE("keys are forgotten by agreed time, number and bytes, the oldest first") {
  const auto outcome_after = [](const KeyLimits& limits, WallTime agreed) {
    Ledger ledger("cluster");
    ledger.set_key_limits(limits);
    ledger.execute(1, 0, 10, {keyed(1, once(1))});
    ledger.execute(2, 0, 10, {keyed(2, once(2)), keyed(3, once(3))});
    const Decision decision = ledger.execute(3, 0, agreed, {keyed(4, once(2)), keyed(5, once(1))});
    CHECK(ledger.keys().size() <= limits.entries);
    return std::pair(decision.calls[0].outcome, decision.calls[1].outcome);
  };
  constexpr auto kKnown = Outcome::kRepeated;
  constexpr auto kUnknown = Outcome::kApplied;
  CHECK(outcome_after({.keep = Duration(100)}, 110) == std::pair(kKnown, kKnown));
  CHECK(outcome_after({.keep = Duration(100)}, 111) == std::pair(kUnknown, kUnknown));
  CHECK(outcome_after({.entries = 2}, 11) == std::pair(kKnown, kUnknown));
  CHECK(outcome_after({.bytes = 2 * (KeyTable::kUseBytes + 7)}, 11) == std::pair(kKnown, kUnknown));
}

TEST_CASE("the ledger's digest covers which keys are known") {
  Ledger a("cluster"), b("cluster");
  b.set_key_limits({.keep = Duration(1)});
  for (Ledger* ledger : {&a, &b}) ledger->execute(1, 0, 10, {keyed(1, once(1))});
  CHECK(a.digest() == b.digest());
  for (Ledger* ledger : {&a, &b}) ledger->execute(2, 0, 20, {});
  CHECK(a.chain() == b.chain());
  CHECK(a.digest() != b.digest());
}

TEST_CASE("a barrier is decided once, and takes no index") {
  Ledger ledger("cluster");
  const auto barrier = std::make_shared<const Call>(
      Operation{.id = {0, 1, 2}, .deadline = kFar, .kind = OperationKind::kBarrier});
  const Decision decision =
      ledger.execute(1, 0, 10, {call(0, 1, 1), barrier, barrier, call(0, 1, 3)});
  CHECK(decision.calls[1].outcome == Outcome::kBarrier);
  CHECK(decision.calls[1].index == 1);
  CHECK(decision.calls[2].outcome == Outcome::kDuplicate);
  CHECK(decision.calls[3].index == 2);
}
