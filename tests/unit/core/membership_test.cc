#include "core/membership.h"

#include <catch2/catch.hpp>

using namespace zap;

TEST_CASE("two quorums share a correct replica, and the correct ones are a quorum") {
  for (std::uint32_t n = 4; n <= 100; ++n) {
    const Quorum quorum{n};
    const std::uint32_t f = quorum.faulty();
    CHECK(3 * f + 1 <= n);
    CHECK(2 * quorum.size() >= n + f + 1);       // they overlap in f + 1
    CHECK(quorum.size() <= n - f);               // the correct ones suffice
    CHECK(2 * (quorum.size() - 1) < n + f + 1);  // and no smaller number would do
  }
}

TEST_CASE("the quorum of n that is 3f + 1 is 2f + 1, of others it is not") {
  CHECK(Quorum{4}.size() == 3);
  CHECK(Quorum{5}.size() == 4);
  CHECK(Quorum{6}.size() == 4);
  CHECK(Quorum{7}.size() == 5);
  CHECK(Quorum{10}.size() == 7);
}

TEST_CASE("an operation id is printed with its origin's name, and read back") {
  Membership membership;
  membership.members = {{0, "node1", "", {}}, {1, "rack-2", "", {}}};
  const OperationId id{1, 7, 1042};
  CHECK(to_string(id, membership) == "rack-2-7-1042");
  CHECK(parse_operation_id("rack-2-7-1042", membership) == id);
  for (const char* wrong : {"", "node1", "node1-7", "node3-1-1", "node1--1", "node1-01-1",
                            "node1-1-", "node1-1-1x", "node1-99999999999999999999-1", "-1-1"}) {
    INFO(wrong);
    CHECK_FALSE(parse_operation_id(wrong, membership));
  }
}
