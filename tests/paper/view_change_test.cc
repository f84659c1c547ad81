// Castro & Liskov, OSDI'99, 4.4, and what restarts add to it.

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/lockstep.h"

using namespace zap;
using namespace std::chrono_literals;
using zap::test::InFlight;
using zap::test::is;
using zap::test::Lockstep;

TEST_CASE("4.4: when the leader is gone the next one leads, and nothing decided is lost") {
  Lockstep cluster(4);
  cluster.submit(1, "a");
  cluster.deliver();
  cluster.stop(0);
  cluster.submit(1, "b");
  cluster.pass(3s);
  for (NodeId node = 1; node < 4; ++node) {
    CHECK(cluster.applied(node) == "a b");
    CHECK(cluster.state(node).view == 1);
    CHECK(cluster.state(node).leader == NodeId{1});
  }
}

TEST_CASE("4.4: what one replica alone saw committed survives the change of view") {
  Lockstep cluster(4);
  cluster.submit(1, "a");
  cluster.deliver([](const InFlight& m) { return is<pbft::Commit>(m) && m.to != 0; });
  CHECK(cluster.applied(0) == "a");
  CHECK(cluster.applied(1).empty());
  cluster.stop(0);
  cluster.pass(3s);
  for (NodeId node = 1; node < 4; ++node) CHECK(cluster.applied(node) == "a");
}

TEST_CASE("4.4: two leaders in a row are gone") {
  Lockstep cluster(7);
  cluster.stop(0);
  cluster.stop(1);
  cluster.submit(2, "a");
  cluster.pass(10s);
  for (NodeId node = 2; node < 7; ++node) {
    CHECK(cluster.applied(node) == "a");
    CHECK(cluster.state(node).view == 2);
  }
}

TEST_CASE("4.5.2: VIEW-CHANGEs that are lost once are sent again") {
  Lockstep cluster(4);
  cluster.stop(0);
  cluster.submit(1, "a");
  cluster.pass(800ms, [](const InFlight& m) { return is<pbft::ViewChange>(m); });
  CHECK(cluster.applied(1).empty());
  cluster.pass(3s);
  CHECK(cluster.applied(1) == "a");
}

TEST_CASE("a leader that was killed comes back, learns and follows") {
  Lockstep cluster(4);
  cluster.submit(1, "a");
  cluster.deliver();
  cluster.stop(0);
  cluster.submit(1, "b");
  cluster.pass(3s);
  cluster.start(0);
  cluster.pass(3s);
  CHECK(cluster.applied(0) == "a b");
  CHECK(cluster.state(0).view == 1);
  CHECK(cluster.state(0).phase == EngineState::Phase::kNormal);
  cluster.stop(3);
  cluster.submit(2, "c");
  cluster.deliver();
  CHECK(cluster.applied(0) == "a b c");
}

TEST_CASE("all are killed at once and come back with everything") {
  Lockstep cluster(4);
  for (int i = 0; i < 200; ++i) {
    cluster.submit(i % 4, std::to_string(i));
    cluster.deliver();
  }
  const std::string before = cluster.applied(0);
  for (NodeId node = 0; node < 4; ++node) cluster.stop(node);
  for (NodeId node = 0; node < 4; ++node) cluster.start(node);
  cluster.pass(2s);
  CHECK(cluster.applied(3) == before);
  cluster.submit(2, "more");
  cluster.deliver();
  for (NodeId node = 0; node < 4; ++node) CHECK(cluster.applied(node) == before + " more");
}

TEST_CASE("a restart comes back to the view that it was changing to, inactive") {
  Lockstep cluster(4);
  cluster.stop(0);
  cluster.submit(1, "a");
  cluster.pass(600ms, [](const InFlight& m) { return is<pbft::NewView>(m); });
  REQUIRE(cluster.state(2).phase == EngineState::Phase::kViewChange);
  const View view = cluster.state(2).view;
  cluster.stop(2);
  cluster.start(2);
  CHECK(cluster.state(2).view == view);
  CHECK_FALSE(cluster.state(2).leader.has_value());
}

TEST_CASE("a replica that was away for many checkpoints gets what it missed") {
  Lockstep cluster(4);
  cluster.stop(3);
  for (int i = 0; i < 1000; ++i) {
    cluster.submit(i % 3, std::to_string(i));
    cluster.deliver();
  }
  cluster.start(3);
  cluster.pass(10s);
  CHECK(cluster.applied(3) == cluster.applied(0));
  CHECK(cluster.state(3).stable == cluster.state(0).stable);
}

TEST_CASE("a log that lost its end does not vote before the others are far enough ahead") {
  Lockstep cluster(4);
  for (int i = 0; i < 10; ++i) {
    cluster.submit(1, std::to_string(i));
    cluster.deliver();
  }
  cluster.stop(3);
  cluster.start(3, 12);
  cluster.pass(5s);
  const auto& notices = cluster.notices(3);
  CHECK(std::any_of(notices.begin(), notices.end(),
                    [](const Notice& notice) { return notice.kind == Notice::Kind::kAmnesia; }));
  // The idle cluster was filled with null requests up to a checkpoint above the window.
  CHECK(cluster.state(3).phase == EngineState::Phase::kNormal);
  CHECK(cluster.state(3).stable >= pbft::kWindow);
  CHECK(cluster.applied(3) == cluster.applied(0));
}

TEST_CASE("fixed leader: views change, each with the same leader") {
  pbft::Settings settings;
  settings.fixed_leader = 2;
  Lockstep cluster(4, settings);
  cluster.submit(0, "a");
  cluster.deliver();
  cluster.stop(2);
  cluster.submit(0, "b");
  cluster.pass(4s);
  CHECK(cluster.applied(0) == "a");
  cluster.start(2);
  cluster.pass(20s);
  CHECK(cluster.applied(0) == "a b");
  CHECK(cluster.state(0).view > 0);
}

TEST_CASE("a full application holds the timers: no view change") {
  Lockstep cluster(4);
  cluster.submit(1, "a");
  for (NodeId node = 0; node < 4; ++node) cluster.backlog(node, true);
  cluster.pass(60s, [](const InFlight& m) { return is<pbft::Commit>(m); });
  for (NodeId node = 0; node < 4; ++node) CHECK(cluster.state(node).view == 0);
}

TEST_CASE("4.2: what was accepted before a restart is not accepted again with another digest") {
  // The leader withholds slot 1 from replica 3, which learns from the others what was decided there
  // and accepts slot 2: what 3 accepted is not a prefix of the order.
  Lockstep cluster(4);
  cluster.submit(1, "a");
  cluster.pass(1s, [](const InFlight& m) { return is<pbft::PrePrepare>(m) && m.to == 3; });
  REQUIRE(cluster.applied(3) == "a");
  cluster.submit(1, "b");
  cluster.deliver();
  REQUIRE(cluster.applied(3) == "a b");
  cluster.stop(3);
  cluster.start(3);
  cluster.deliver();

  pbft::PrePrepare other;
  other.seq = 2;
  other.batch.timestamp = 7;
  other.digest = pbft::digest_of(other.batch);
  cluster.forge(0, 3, other);
  cluster.pass(1s);
  for (const Record& record : cluster.log(3)) {
    const auto* accepted = std::get_if<pbft::Accepted>(&record);
    if (accepted && accepted->content.seq == 2) CHECK(accepted->digest != other.digest);
  }
}

TEST_CASE("4.4: a new leader keeps what it fetched for its NEW-VIEW, whatever is proposed still") {
  // Slots 1 and 2 are prepared by all but replica 1, which is to lead view 1 and has neither batch.
  Lockstep cluster(4);
  const auto unseen = [](const InFlight& m) { return m.to == 1 || is<pbft::Commit>(m); };
  cluster.submit(2, "a");
  cluster.deliver(unseen);
  cluster.submit(2, "b");
  cluster.pass(20ms, unseen);
  std::optional<pbft::Batches> both;
  cluster.pass(1s, [&both](const InFlight& m) {
    if (const auto* batches = std::get_if<pbft::Batches>(m.message.get())) both = *batches;
    return m.from == 0 || m.to == 0 || is<pbft::Batches>(m);
  });
  REQUIRE(both);
  REQUIRE(both->contents.size() == 2);
  REQUIRE(cluster.state(1).view == 1);
  REQUIRE_FALSE(cluster.state(1).leader);

  pbft::PrePrepare late;
  late.seq = both->contents[0].seq;
  late.batch.timestamp = 7;
  late.digest = pbft::digest_of(late.batch);
  cluster.forge(2, 1, pbft::Batches{{both->contents[0]}});
  cluster.forge(0, 1, late);
  cluster.forge(2, 1, pbft::Batches{{both->contents[1]}});
  cluster.deliver([](const InFlight& m) { return is<pbft::FetchBatches>(m); });
  CHECK(cluster.state(1).leader == NodeId{1});
}

TEST_CASE("an idle cluster does not change the view when old proposals are said again") {
  Lockstep cluster(4);
  cluster.submit(1, "a");
  cluster.deliver([](const InFlight& m) { return m.to == 3; });
  cluster.pass(60s);
  for (NodeId node = 0; node < 4; ++node) CHECK(cluster.state(node).view == 0);
}
