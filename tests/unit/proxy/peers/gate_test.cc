#include "proxy/peers/gate.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "consensus/pbft/statement.h"
#include "consensus/wire/codec.h"
#include "core/limits.h"
#include "tests/unit/proxy/cluster_keys.h"

namespace zap {
namespace {

using namespace std::chrono_literals;
using test::ClusterKeys;

/// The gate of node 0 in a cluster of four, on one loop.
struct Fixture {
  GateHandlers handlers() {
    return {
        .is_superfluous = [this](const wire::PeerMessage&) { return superfluous; },
        .on_passed =
            [this](NodeId from, wire::PeerMessage message) {
              passed.emplace_back(from, std::get<Message>(std::move(message)));
            },
        .on_failed = [this](NodeId from, const Error& error) { failed.emplace_back(from, error); },
        .on_room = [this](NodeId from) { room.push_back(from); }};
  }

  Bytes frame(NodeId from, Message message) const {
    const Signer signer = keys.signer(from);
    for (auto& owed : pbft::signatures_to_make("c1", from, message)) {
      *owed.signature = signer.sign(owed.statement);
    }
    return wire::encode(message);
  }
  Bytes checkpoint(NodeId from, Seq seq) const { return frame(from, pbft::Checkpoint{.seq = seq}); }

  /// Until `count` frames have passed or failed.
  bool run_until(std::size_t count) {
    Timer tick(loop, [&] { loop.stop(); });
    for (int i = 0; i < 5'000 && passed.size() + failed.size() < count; ++i) {
      tick.after(2ms);
      loop.run();
    }
    return passed.size() + failed.size() == count;
  }
  std::vector<Seq> seqs_from(NodeId from) const {
    std::vector<Seq> seqs;
    for (const auto& [sender, message] : passed) {
      if (sender == from) seqs.push_back(std::get<pbft::Checkpoint>(message).seq);
    }
    return seqs;
  }

  EventLoop loop;
  ClusterKeys keys{4};
  std::vector<std::pair<NodeId, Message>> passed;
  std::vector<std::pair<NodeId, Error>> failed;
  std::vector<NodeId> room;
  bool superfluous = false;
  Gate gate{loop, {"c1", 0, keys.membership, std::nullopt, 2}, handlers()};
};

TEST_CASE_METHOD(Fixture, "gate: an idle one lets a small message pass at once") {
  gate.submit(1, wire::encode(Message(pbft::Status{.view = 1})));
  CHECK(passed.size() == 1);
  gate.submit(1, checkpoint(1, 1));
  CHECK(passed.size() == 2);
  gate.submit(1, checkpoint(1, 2));  // one signature a turn is enough for the loop
  CHECK(passed.size() == 2);
  CHECK(run_until(3));
}

TEST_CASE_METHOD(Fixture,
                 "gate: what can change nothing any more is not verified, and goes no further") {
  superfluous = true;
  gate.submit(1, checkpoint(2, 1));  // signed by another than its sender
  superfluous = false;
  gate.submit(1, checkpoint(1, 2));
  REQUIRE(run_until(1));
  CHECK(seqs_from(1) == std::vector<Seq>{2});
}

TEST_CASE_METHOD(Fixture, "gate: each peer's messages pass in their order, on two threads") {
  constexpr Seq kEach = 150;
  for (Seq seq = 1; seq <= kEach; ++seq) {
    for (NodeId from = 1; from <= 3; ++from) gate.submit(from, checkpoint(from, seq));
  }
  REQUIRE(run_until(3 * kEach));
  CHECK(failed.empty());
  for (NodeId from = 1; from <= 3; ++from) {
    const std::vector<Seq> seqs = seqs_from(from);
    CHECK(seqs.size() == kEach);
    CHECK(std::is_sorted(seqs.begin(), seqs.end()));
  }
}

TEST_CASE_METHOD(Fixture, "gate: what fails names its sender, and what comes after it passes") {
  const auto fails = [&](Bytes bytes, ErrorCode code) {
    const std::size_t before = passed.size() + failed.size();
    const std::size_t failures = failed.size();
    gate.submit(2, std::move(bytes));
    gate.submit(2, checkpoint(2, 9));
    REQUIRE(run_until(before + 2));
    REQUIRE(failed.size() == failures + 1);
    CHECK(failed.back().first == 2);
    CHECK(failed.back().second.code == code);
  };
  fails("no message", ErrorCode::kInvalid);
  fails(checkpoint(1, 5), ErrorCode::kUnauthorized);  // signed by 1, sent by 2
  fails(frame(2, pbft::Checkpoint{.epoch = 1, .seq = 1}), ErrorCode::kUnavailable);
  fails(wire::encode(Message(pbft::Checkpoint{.seq = 7})), ErrorCode::kUnauthorized);  // unsigned
}

TEST_CASE_METHOD(Fixture,
                 "gate: one that floods fills its own lane, and nobody else waits for it") {
  const Bytes flood = checkpoint(1, 1);
  for (std::size_t i = 0; i < limits::kGateFramesPerPeer + 1; ++i) gate.submit(1, flood);
  CHECK(gate.full(1));
  CHECK_FALSE(gate.full(2));
  gate.submit(2, checkpoint(2, 1));
  REQUIRE(run_until(limits::kGateFramesPerPeer + 2));
  CHECK(room == std::vector<NodeId>{1});
  CHECK_FALSE(gate.full(1));
}

TEST_CASE_METHOD(Fixture, "gate: a forgotten peer's waiting frames are dropped") {
  for (Seq seq = 1; seq <= 500; ++seq) gate.submit(1, checkpoint(1, seq));
  gate.forget(1);
  gate.submit(1, checkpoint(1, 1'000));
  Timer tick(loop, [&] { loop.stop(); });
  while (seqs_from(1).empty() || seqs_from(1).back() != 1'000) {
    tick.after(2ms);
    loop.run();
  }
  CHECK(passed.size() < 500);
}

}  // namespace
}  // namespace zap
