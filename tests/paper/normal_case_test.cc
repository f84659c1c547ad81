// Castro & Liskov, OSDI'99, 4.2 and 4.3, sentence by sentence.

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/lockstep.h"

using namespace zap;
using zap::test::InFlight;
using zap::test::is;
using zap::test::Lockstep;

TEST_CASE("4.2: a call submitted at any replica is applied by all, in one order") {
  Lockstep cluster(4);
  cluster.submit(0, "a");
  cluster.submit(2, "b");
  cluster.submit(3, "c");
  cluster.deliver();
  const std::string order = cluster.applied(0);
  CHECK(order.size() == 5);
  for (NodeId node = 1; node < 4; ++node) CHECK(cluster.applied(node) == order);
}

TEST_CASE("4.2: an idle leader proposes at once, without waiting for a batch to fill") {
  Lockstep cluster(4);
  cluster.submit(1, "a");
  cluster.deliver();
  CHECK(cluster.applied(1) == "a");
}

TEST_CASE(
    "4.2: a prepare beyond the certificate's is superfluous, one that contradicts it is not") {
  Lockstep cluster(4);
  cluster.submit(0, "a");
  cluster.deliver();
  const auto& log = cluster.log(1);
  const auto prepared = std::find_if(log.begin(), log.end(), [](const Record& record) {
    return std::holds_alternative<pbft::Certificate>(record);
  });
  REQUIRE(prepared != log.end());
  const auto& certificate = std::get<pbft::Certificate>(*prepared);
  pbft::Prepare prepare{
      certificate.epoch, certificate.view, certificate.seq, certificate.digest, {}};
  CHECK(cluster.engine(1).is_superfluous(prepare));
  prepare.digest = pbft::null_digest();
  CHECK_FALSE(cluster.engine(1).is_superfluous(prepare));
  prepare.digest = certificate.digest;
  ++prepare.view;
  CHECK_FALSE(cluster.engine(1).is_superfluous(prepare));
}

TEST_CASE("4.2: a busy leader lets calls gather, a quiet one does not") {
  Lockstep cluster(4);
  const auto batches = [&] {
    const auto sent = cluster.sent();
    return std::count_if(sent.begin(), sent.end(), [](const std::string& line) {
      return line.starts_with("0>1 PRE-PREPARE");
    });
  };
  for (int i = 0; i < 20; ++i)
    cluster.submit(1, "a");  // the first alone, the rest while it is busy
  cluster.deliver();
  REQUIRE(batches() == 2);
  const auto backlog = [&](std::size_t calls) {
    cluster.engine(0).step({Instant(), 0}, Backlog{.calls = calls});
  };
  backlog(19);  // the application has the last batch before it
  cluster.submit(1, "b");
  cluster.submit(2, "c");
  cluster.deliver();
  CHECK(batches() == 0);
  cluster.pass(std::chrono::milliseconds(11));
  CHECK(batches() == 1);
  backlog(1);
  cluster.submit(3, "d");
  cluster.deliver();
  CHECK(batches() == 1);
}

TEST_CASE("4.2: with f replicas silent calls are decided, with f + 1 they are not") {
  for (const std::uint32_t n : {4U, 5U, 6U, 7U, 10U}) {
    const std::uint32_t tolerated = n - Quorum{n}.size();
    Lockstep cluster(n);
    for (NodeId node = n - tolerated; node < n; ++node) cluster.stop(node);
    cluster.submit(0, "a");
    cluster.deliver();
    CHECK(cluster.applied(1) == "a");
    cluster.stop(n - tolerated - 1);
    cluster.submit(0, "b");
    cluster.deliver();
    CHECK(cluster.applied(1) == "a");
  }
}

TEST_CASE("4.2: nobody commits before a quorum prepared") {
  Lockstep cluster(4);
  cluster.submit(0, "a");
  cluster.deliver([](const InFlight& m) { return is<pbft::Prepare>(m) && m.from != 1; });
  const auto sent = cluster.sent();
  // Each replica has the leader's pre-prepare and the votes of 1 and itself: 0 and 1 have too few.
  CHECK(std::none_of(sent.begin(), sent.end(), [](const std::string& line) {
    return line.find("COMMIT") != std::string::npos && (line[0] == '0' || line[0] == '1');
  }));
  CHECK(cluster.applied(0).empty());
}

TEST_CASE("4.3: 128 slots on, a checkpoint is stable everywhere and the window has moved") {
  Lockstep cluster(4);
  for (int i = 0; i < 300; ++i) {
    cluster.submit(i % 4, std::to_string(i));
    cluster.deliver();
  }
  for (NodeId node = 0; node < 4; ++node) {
    CHECK(cluster.state(node).stable == 256);
    CHECK(cluster.state(node).commit_index == 300);
    CHECK(cluster.applied(node) == cluster.applied(0));
  }
}

TEST_CASE("4.3: without a quorum's checkpoints the window fills and ordering waits") {
  Lockstep cluster(4);
  const auto no_checkpoints = [](const InFlight& m) { return is<pbft::Checkpoint>(m); };
  for (int i = 0; i < 300; ++i) {
    cluster.submit(0, std::to_string(i));
    cluster.deliver(no_checkpoints);
  }
  CHECK(cluster.state(0).decided == pbft::kWindow);
  cluster.pass(std::chrono::milliseconds(100));
  CHECK(cluster.state(0).decided == pbft::kWindow);
  cluster.pass(std::chrono::seconds(3));
  CHECK(cluster.state(0).commit_index == 300);
}

TEST_CASE("a call that is sent again is applied once") {
  Lockstep cluster(4);
  MessagePtr bundle;
  cluster.submit(0, "a");
  cluster.deliver([&](const InFlight& m) {
    if (is<pbft::Bundle>(m)) bundle = m.message;
    return false;
  });
  REQUIRE(bundle);
  for (NodeId node = 0; node < 4; ++node) {
    cluster.engine(node).step({Instant(std::chrono::hours(2)), 0}, Receive{0, bundle});
  }
  cluster.deliver();
  CHECK(cluster.applied(2) == "a");
}

TEST_CASE("a backup that lost the bundle fetches the call from the leader") {
  Lockstep cluster(4);
  cluster.submit(1, "a");
  cluster.deliver([](const InFlight& m) { return is<pbft::Bundle>(m) && m.to == 3; });
  CHECK(cluster.applied(0) == "a");
  cluster.pass(std::chrono::seconds(1));
  CHECK(cluster.applied(3) == "a");
}

TEST_CASE("the last commits before silence are lost: the status exchange brings them") {
  Lockstep cluster(4);
  cluster.submit(0, "a");
  cluster.deliver([](const InFlight& m) { return is<pbft::Commit>(m) && m.to == 3; });
  CHECK(cluster.applied(3).empty());
  cluster.pass(std::chrono::seconds(1));
  CHECK(cluster.applied(3) == "a");
}

TEST_CASE("4.2: a leader that proposes two batches for one slot leaves evidence") {
  Lockstep cluster(4);
  cluster.submit(1, "a");
  cluster.deliver();
  pbft::PrePrepare other;
  other.seq = 1;
  other.batch.timestamp = 7;
  other.digest = pbft::digest_of(other.batch);
  cluster.forge(0, 2, other);
  cluster.deliver();
  const Notice& notice = cluster.notices(2).back();
  REQUIRE(notice.kind == Notice::Kind::kEquivocation);
  CHECK(notice.node == 0);
  REQUIRE(notice.evidence.size() == 2);
  const auto& one = std::get<pbft::PrePrepare>(notice.evidence[0]);
  const auto& two = std::get<pbft::PrePrepare>(notice.evidence[1]);
  CHECK(one.digest != two.digest);
  CHECK(std::pair(one.view, one.seq) == std::pair(two.view, two.seq));
}

TEST_CASE(
    "4.3: two states signed at one checkpoint are evidence, and one state said twice is not") {
  Lockstep cluster(4);
  const pbft::Checkpoint one{.seq = 128, .digest = pbft::null_digest()};
  cluster.forge(3, 0, one);
  cluster.forge(3, 0, one);
  cluster.deliver();
  const std::size_t before = cluster.notices(0).size();
  cluster.forge(3, 0, pbft::Checkpoint{.seq = 128, .digest = {}});
  cluster.deliver();
  REQUIRE(cluster.notices(0).size() == before + 1);
  CHECK(cluster.notices(0).back().evidence.size() == 2);
}
