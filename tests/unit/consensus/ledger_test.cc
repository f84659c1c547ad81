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
  CHECK(a.checkpoint_digest(0, {}) == b.checkpoint_digest(0, {}));
  CHECK(a.chain() != c.chain());
  CHECK(a.checkpoint_digest(0, {}) != a.checkpoint_digest(1, {}));
}

TEST_CASE("the seed of a call depends on its place in the order") {
  Ledger a("cluster"), b("cluster");
  const std::uint64_t first = a.execute(1, 0, 5, {call(0, 1, 1)}).calls[0].seed;
  b.execute(1, 0, 5, {call(1, 1, 1)});
  const std::uint64_t second = b.execute(2, 0, 5, {call(0, 1, 1)}).calls[0].seed;
  CHECK(first != second);
}
