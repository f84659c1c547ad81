#include "proxy/reads/freshness.h"

#include <catch2/catch.hpp>

namespace zap {
namespace {

Instant at(int second) { return Instant{} + std::chrono::seconds(1'000 + second); }

}  // namespace

TEST_CASE("freshness: as of the oldest word of the newest round of a quorum") {
  Freshness node(Quorum{4});
  node.said(1, 0, 0, at(1));
  CHECK(node.as_of(0) == Instant{});  // a quorum is this node and two others
  node.said(2, 0, 0, at(2));
  CHECK(node.as_of(0) == at(1));
  node.said(2, 0, 0, at(3));
  CHECK(node.as_of(0) == at(1));
  node.said(3, 0, 0, at(4));
  CHECK(node.as_of(0) == at(3));
}

TEST_CASE("freshness: what anyone has prepared must be decided here, and executed") {
  Freshness node(Quorum{4});
  node.decided(5, 50);
  node.said(1, 5, 5, at(1));
  node.said(2, 7, 5, at(2));
  CHECK(node.as_of(99) == Instant{});
  node.decided(6, 60);
  CHECK(node.as_of(99) == Instant{});
  node.decided(7, 70);
  CHECK(node.as_of(69) == Instant{});
  CHECK(node.as_of(70) == at(1));
}

TEST_CASE("freshness: what this node itself has prepared counts like the words of others") {
  Freshness node(Quorum{4});
  node.said(1, 0, 3, at(1));
  node.said(2, 0, 3, at(2));
  CHECK(node.as_of(0) == Instant{});
  node.decided(3, 1);
  CHECK(node.as_of(1) == at(1));
}

TEST_CASE("freshness: an application that is behind is as fresh as it was when it was there") {
  Freshness node(Quorum{4});
  for (int second = 1; second <= 1'000; ++second) {
    const auto index = static_cast<Index>(second);
    node.decided(index, index);
    node.said(1, index, index, at(second));
    node.said(2, index, index, at(second));
  }
  CHECK(node.as_of(1'000) == at(1'000));
  CHECK(node.as_of(900) <= at(900));
  CHECK(node.as_of(900) > at(800));
}

}  // namespace zap
