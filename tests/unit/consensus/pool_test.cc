#include "consensus/pbft/pool.h"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace zap;
using namespace zap::pbft;

namespace {

constexpr NodeId kSelf = 9;
constexpr std::size_t kAnyBytes = 1'000'000;
const Instant kNow{std::chrono::seconds(1)};

CallPtr call(NodeId origin, std::uint64_t number, const std::string& payload = "p",
             Incarnation incarnation = 1) {
  Operation operation;
  operation.id = {origin, incarnation, number};
  operation.payload = payload;
  return std::make_shared<const Call>(std::move(operation));
}

Pool::Proof proof() { return std::make_shared<const BundleProof>(); }

std::vector<std::uint64_t> numbers(const std::vector<CallPtr>& calls) {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(calls.size());
  for (const CallPtr& taken : calls) {
    numbers.push_back(taken->operation.id.origin * 100 + taken->operation.id.number);
  }
  return numbers;
}

}  // namespace

TEST_CASE("the leader takes from the origins in turn, from each in number order") {
  Pool pool(kSelf);
  for (std::uint64_t number = 5; number > 0; --number) pool.add(call(1, number), proof(), kNow);
  pool.add(call(2, 1), proof(), kNow);
  CHECK(numbers(pool.take(4, 1000)) == std::vector<std::uint64_t>{101, 201, 102, 103});
  CHECK(pool.unproposed() == 2);
  CHECK(numbers(pool.take(10, 1000)) == std::vector<std::uint64_t>{104, 105});
  CHECK(pool.take(10, 1000).empty());
}

TEST_CASE("origins share a batch by what their calls cost") {
  Pool pool(kSelf);
  for (std::uint64_t number = 1; number <= 50; ++number) {
    pool.add(call(1, number, std::string(3'000, 'x')), proof(), kNow);
    pool.add(call(2, number), proof(), kNow);
  }
  const std::vector<CallPtr> batch = pool.take(30, 1'000'000);
  const auto large = std::count_if(batch.begin(), batch.end(), [](const CallPtr& taken) {
    return taken->operation.id.origin == 1;
  });
  CHECK(large == 6);
}

TEST_CASE("one origin at a hundred times the rate of the others does not delay them") {
  Pool pool(kSelf);
  for (std::uint64_t number = 1; number <= 1'000; ++number) {
    pool.add(call(1, number), proof(), kNow);
    if (number % 100 != 0) continue;
    for (const NodeId origin : {2, 3}) pool.add(call(origin, number / 100), proof(), kNow);
  }
  const std::vector<std::uint64_t> taken = numbers(pool.take(30, kAnyBytes));
  for (std::uint64_t number = 1; number <= 10; ++number) {
    for (const std::uint64_t origin : {1, 2, 3}) {
      CHECK(std::count(taken.begin(), taken.end(), origin * 100 + number) == 1);
    }
  }
}

TEST_CASE("whoever is first goes round, even where a batch has room for one call") {
  Pool pool(kSelf);
  for (const NodeId origin : {1, 2, 3}) {
    for (std::uint64_t number = 1; number <= 2; ++number) {
      pool.add(call(origin, number), proof(), kNow);
    }
  }
  std::vector<std::uint64_t> order;
  for (int batch = 0; batch < 6; ++batch) order.push_back(numbers(pool.take(1, 1'000)).front());
  CHECK(order == std::vector<std::uint64_t>{101, 201, 301, 102, 202, 302});
}

TEST_CASE("a call too large for what is left of a batch holds up its own origin alone") {
  Pool pool(kSelf);
  pool.add(call(1, 1, std::string(60, 'x')), proof(), kNow);
  pool.add(call(2, 1, std::string(60, 'x')), proof(), kNow);
  pool.add(call(3, 1, "small"), proof(), kNow);
  CHECK(numbers(pool.take(10, 100)) == std::vector<std::uint64_t>{101, 301});
  CHECK(numbers(pool.take(10, 100)) == std::vector<std::uint64_t>{201});
}

TEST_CASE("a batch stops at its bytes, and carries one call however large") {
  Pool pool(kSelf);
  for (std::uint64_t number = 1; number <= 3; ++number) {
    pool.add(call(1, number, std::string(60, 'x')), proof(), kNow);
  }
  CHECK(pool.take(10, 130).size() == 2);
  CHECK(pool.take(10, 10).size() == 1);
}

TEST_CASE("a new view proposes again what no proposal names") {
  Pool pool(kSelf);
  pool.add(call(1, 1), proof(), kNow);
  pool.add(call(1, 2), proof(), kNow);
  pool.take(2, 1000);
  pool.mark_all_unproposed();
  pool.mark_proposed({1, 1, 1});
  CHECK(numbers(pool.take(2, 1000)) == std::vector<std::uint64_t>{102});
}

TEST_CASE("a decided call is forgotten, with every payload that its origin signed for its id") {
  Pool pool(kSelf);
  const CallPtr one = call(1, 1, "one"), other = call(1, 1, "other");
  CHECK(pool.add(one, proof(), kNow) == Pool::Added::kNew);
  CHECK(pool.add(one, proof(), kNow) == Pool::Added::kKnown);
  CHECK(pool.add(other, proof(), kNow) == Pool::Added::kConflicting);
  CHECK(pool.waiting() == 1);
  pool.decided({1, 1, 1});
  CHECK(pool.find(one->digest) == nullptr);
  CHECK(pool.find(other->digest) == nullptr);
  CHECK(pool.waiting() == 0);
  CHECK(pool.unproposed() == 0);
}

TEST_CASE("a newer incarnation ends the waiting of the older, whose payloads can still be found") {
  Pool pool(kSelf);
  const CallPtr old = call(1, 7, "old", 1);
  pool.add(old, proof(), kNow);
  pool.add(call(1, 1, "new", 2), proof(), kNow);
  CHECK(pool.waiting() == 1);
  CHECK(pool.find(old->digest) != nullptr);
  CHECK(numbers(pool.take(10, 1000)) == std::vector<std::uint64_t>{101});
  pool.decided({1, 2, 1});
  CHECK(pool.find(old->digest) == nullptr);
}

TEST_CASE("one origin's unordered bytes are bounded, the oldest go first") {
  Pool pool(kSelf);
  const std::size_t size = Pool::kBytesPerOrigin / 4;
  for (std::uint64_t number = 1; number <= 6; ++number) {
    pool.add(call(1, number, std::string(size, static_cast<char>('a' + number))), proof(), kNow);
  }
  CHECK(pool.waiting() == 3);
  CHECK(numbers(pool.take(1, 1)) == std::vector<std::uint64_t>{104});
}

TEST_CASE("a bundle's proof counts once, however many of its calls wait") {
  Pool pool(kSelf, 1'000'000);
  BundleProof large;
  large.digests.resize(4'000);
  const auto shared = std::make_shared<const BundleProof>(large);
  for (std::uint64_t number = 1; number <= 1'000; ++number) pool.add(call(1, number), shared, kNow);
  CHECK(pool.waiting() == 1'000);
}

TEST_CASE("each copy of a proof counts, and no longer than its calls do") {
  Pool pool(kSelf, 1'000'000);
  BundleProof large;
  large.digests.resize(4'000);
  for (std::uint64_t number = 1; number <= 100; ++number) {
    pool.add(call(1, number), std::make_shared<const BundleProof>(large), kNow);
  }
  CHECK(pool.waiting() == 7);
  for (std::uint64_t number = 1; number <= 100; ++number) pool.decided({1, 1, number});
  for (std::uint64_t number = 201; number <= 207; ++number) {
    pool.add(call(1, number), std::make_shared<const BundleProof>(large), kNow);
  }
  CHECK(pool.waiting() == 7);
}

TEST_CASE("our own calls are never dropped: their numbers must have no gaps") {
  Pool pool(1);
  const std::size_t size = Pool::kBytesPerOrigin / 4;
  for (std::uint64_t number = 1; number <= 6; ++number) {
    pool.add(call(1, number, std::string(size, static_cast<char>('a' + number))), proof(), kNow);
  }
  CHECK(pool.waiting() == 6);
}

TEST_CASE("payloads of an older run go first, then second payloads for one id") {
  Pool pool(kSelf);
  const std::size_t size = Pool::kBytesPerOrigin / 4;
  const CallPtr fresh = call(1, 1, std::string(size, 'f'), 2);
  const CallPtr second = call(1, 1, std::string(size, 's'), 2);
  const CallPtr old = call(1, 2, std::string(size, 'o'), 1);
  pool.add(fresh, proof(), kNow);
  pool.add(second, proof(), kNow);
  pool.add(old, proof(), kNow);
  pool.add(call(1, 3, std::string(size, 'n'), 2), proof(), kNow);
  CHECK(pool.find(old->digest) == nullptr);
  CHECK(pool.find(second->digest) != nullptr);
  pool.add(call(1, 4, std::string(size, 'm'), 2), proof(), kNow);
  CHECK(pool.find(second->digest) == nullptr);
  CHECK(pool.find(fresh->digest) != nullptr);
}

TEST_CASE("what a proposal of now names is kept whatever the bounds say") {
  Pool pool(kSelf);
  const std::size_t size = Pool::kBytesPerOrigin / 4;
  const CallPtr named = call(1, 1, std::string(size, 'p'));
  pool.pin(7, {named->digest});
  pool.add(named, proof(), kNow);
  for (std::uint64_t number = 2; number <= 6; ++number) {
    pool.add(call(1, number, std::string(size, static_cast<char>('a' + number))), proof(), kNow);
  }
  CHECK(pool.find(named->digest) != nullptr);
  pool.unpin(7);
  pool.add(call(1, 7, std::string(size, 'z')), proof(), kNow);
  CHECK(pool.find(named->digest) == nullptr);
}

TEST_CASE("a newer run that was decided unseen ends the waiting of the older") {
  Pool pool(kSelf);
  pool.add(call(1, 7, "old", 1), proof(), kNow);
  pool.decided({1, 2, 1});
  CHECK(pool.waiting() == 0);
}

TEST_CASE("an answer to a fetch stops at its bytes") {
  Pool pool(kSelf);
  const CallPtr a = call(1, 1, std::string(600, 'a')), b = call(1, 2, std::string(600, 'b'));
  pool.add(a, proof(), kNow);
  pool.add(b, proof(), kNow);
  CHECK(pool.bundles_of({a->digest, b->digest}, 1000).size() == 1);
  CHECK(pool.bundles_of({a->digest, b->digest}, 1200).size() == 2);
}

TEST_CASE("a call counts against the leader only once the leader was told of it") {
  Pool pool(kSelf);
  pool.add(call(1, 1), proof(), kNow);
  const auto counts = [&pool] {
    return pool.any_oldest([](NodeId, const Pool::Oldest& oldest) { return oldest.counts; });
  };
  CHECK_FALSE(counts());
  CHECK(pool.take_overdue(kNow, 10).size() == 1);
  CHECK(pool.take_overdue(kNow, 10).empty());
  CHECK(counts());
}

TEST_CASE("calls with one proof travel in one bundle") {
  Pool pool(kSelf);
  const Pool::Proof shared = proof();
  const CallPtr a = call(1, 1), b = call(1, 2), c = call(1, 3);
  pool.add(a, shared, kNow);
  pool.add(b, shared, kNow);
  pool.add(c, proof(), kNow);
  const auto bundles =
      pool.bundles_of({a->digest, c->digest, b->digest, a->digest, Digest{}}, kAnyBytes);
  REQUIRE(bundles.size() == 2);
  CHECK(bundles[0].calls.size() == 2);
  CHECK(bundles[1].calls.size() == 1);
}
