// tests/simulation/simulator_test.cc - the simulator's own parts: a harness that is wrong proves
// nothing, whatever it prints.

#include <catch2/catch.hpp>

#include "tests/simulation/disk.h"
#include "tests/simulation/gate.h"
#include "tests/simulation/history.h"
#include "tests/simulation/network.h"
#include "tests/simulation/new_view_reference.h"
#include "tests/simulation/planted_bugs.h"
#include "tests/simulation/scenario.h"

namespace zap::simulation {
namespace {

using std::chrono::milliseconds;

Digest digest(std::string_view text) { return Hasher("test").add(text).finish(); }

pbft::Record accepted(Seq seq, View view) {
  return pbft::Accepted{
      .view = view, .digest = pbft::null_digest(), .content = {.seq = seq, .batch = {}}};
}

void run_for(Scheduler& scheduler, Duration duration) {
  bool over = false;
  scheduler.after(duration, [&over] { over = true; });
  while (!over) scheduler.run_one();
}

TEST_CASE("scheduler: time orders, and at one instant the order of planning") {
  Scheduler scheduler;
  std::string order;
  scheduler.after(milliseconds(2), [&] { order += "c"; });
  scheduler.after(milliseconds(1), [&] { order += "a"; });
  scheduler.after(milliseconds(1), [&] {
    order += "b";
    scheduler.at(Instant{}, [&] { order += "!"; });  // the past is now
  });
  while (scheduler.run_one()) {
  }
  CHECK(order == "ab!c");
  CHECK(scheduler.events() == 4);
}

/// A PREPARE of node 1 and a CHECKPOINT made of its signature, in every context but their own.
std::size_t pass_in_other_contexts(const Sabotage& sabotage) {
  pbft::Settings settings;
  settings.cluster = "c1";
  for (NodeId id = 0; id < 4; ++id) settings.membership.members.push_back({id, "", "", {}});
  const test::FakeKeys keys(1);
  const Gate gate(settings, keys, sabotage);
  Message signed_once = pbft::Prepare{0, 0, 7, digest("batch"), {}};
  gate.sign(keys.signer_of(1), signed_once);
  const auto passes = [&](Message message) {
    return gate.passes({.from = 1, .message = std::make_shared<const Message>(std::move(message))},
                       2);
  };
  REQUIRE(passes(signed_once));

  const auto& own = std::get<pbft::Prepare>(signed_once);
  pbft::Prepare later_view = own, later_slot = own, other_batch = own;
  later_view.view = 2;
  later_slot.seq = 8;
  other_batch.digest = digest("another");
  const pbft::Checkpoint checkpoint{0, own.seq, own.digest, own.signature};
  return static_cast<std::size_t>(passes(later_view)) + passes(later_slot) + passes(other_batch) +
         passes(checkpoint);
}

TEST_CASE("gate: a signature counts in no context but its own, and unbound it would in each") {
  CHECK(pass_in_other_contexts({}) == 0);
  CHECK(pass_in_other_contexts({.signatures_unbound = true}) == 4);
}

struct Wire {
  explicit Wire(NetworkFaults faults)
      : network(
            3, faults, scheduler, Random(1),
            [this](Place from, Place to, const EnvelopePtr& envelope) {
              arrived.push_back(std::get<pbft::Commit>(*envelope->message).seq);
              last = {from, to};
            },
            [this](Place, Place) { ++came_up; }) {}

  void send(Place from, Place to, Seq seq) {
    network.send(from, to,
                 std::make_shared<const Envelope>(
                     Envelope{static_cast<NodeId>(from),
                              std::make_shared<const Message>(pbft::Commit{.seq = seq}),
                              {}}));
  }

  Scheduler scheduler;
  std::vector<Seq> arrived;
  std::pair<Place, Place> last;
  int came_up = 0;
  Network network;
};

TEST_CASE("network: a link that keeps order delivers everything in order") {
  Wire wire({.delay_max = milliseconds(50)});
  for (Seq seq = 1; seq <= 20; ++seq) wire.send(0, 1, seq);
  run_for(wire.scheduler, milliseconds(100));
  REQUIRE(wire.arrived.size() == 20);
  CHECK(std::is_sorted(wire.arrived.begin(), wire.arrived.end()));
}

TEST_CASE("network: one that does not lets messages overtake each other") {
  Wire wire({.delay_max = milliseconds(50), .keeps_order = false});
  for (Seq seq = 1; seq <= 20; ++seq) wire.send(0, 1, seq);
  run_for(wire.scheduler, milliseconds(100));
  REQUIRE(wire.arrived.size() == 20);
  CHECK_FALSE(std::is_sorted(wire.arrived.begin(), wire.arrived.end()));
}

TEST_CASE("network: what is cut loses what is on its way, one direction at a time") {
  Wire wire({});
  wire.send(0, 1, 1);
  wire.network.cut(0, 1);
  wire.send(0, 1, 2);
  wire.send(1, 0, 3);
  run_for(wire.scheduler, milliseconds(10));
  CHECK(wire.arrived == std::vector<Seq>{3});
  wire.network.cut(1, 0);
  wire.network.mend(0, 1);
  CHECK(wire.came_up == 0);
  wire.network.mend(1, 0);
  CHECK(wire.came_up == 1);
}

TEST_CASE("network: losses and duplicates come as often as asked for") {
  Wire wire({.loss = 0.5});
  for (Seq seq = 1; seq <= 1000; ++seq) wire.send(0, 1, seq);
  run_for(wire.scheduler, milliseconds(10));
  CHECK(wire.arrived.size() > 400);
  CHECK(wire.arrived.size() < 600);

  Wire twice({.duplicate = 1});
  twice.send(0, 1, 1);
  run_for(twice.scheduler, milliseconds(10));
  CHECK(twice.arrived.size() == 2);
}

TEST_CASE("disk: durable is what a sync that began later has covered") {
  Scheduler scheduler;
  Disk disk({}, scheduler, Random(1));
  LogPosition durable = 0;
  disk.append({accepted(1, 0)});
  disk.sync([&](LogPosition position) { durable = position; });
  disk.append({accepted(2, 0)});  // after the sync began: not covered
  CHECK_FALSE(disk.holds(Disk::Basis::kAccepted, 0, 1, pbft::null_digest()));
  run_for(scheduler, milliseconds(10));
  CHECK(durable == 1);
  CHECK(disk.holds(Disk::Basis::kAccepted, 0, 1, pbft::null_digest()));
  CHECK_FALSE(disk.holds(Disk::Basis::kAccepted, 0, 2, pbft::null_digest()));
  CHECK_FALSE(disk.holds(Disk::Basis::kAccepted, 1, 1, pbft::null_digest()));
}

TEST_CASE("disk: a crash loses nothing that was durable, sometimes all else, and no sync answers") {
  std::set<LogPosition> left;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Scheduler scheduler;
    Disk disk({}, scheduler, Random(seed));
    disk.append({accepted(1, 0), accepted(2, 0)});
    disk.sync([](LogPosition) {});
    run_for(scheduler, milliseconds(10));
    disk.append({accepted(3, 0), accepted(4, 0)});
    disk.sync([](LogPosition) { FAIL("a sync outlived its process"); });
    disk.crash();
    run_for(scheduler, milliseconds(10));
    left.insert(disk.size());
  }
  CHECK(left == std::set<LogPosition>{2, 3, 4});
}

TEST_CASE("disk: a log shorter than its mark is noticed, and the mark is never ahead of the log") {
  Scheduler scheduler;
  Disk disk({}, scheduler, Random(1));
  for (Seq seq = 1; seq <= 5; ++seq) {
    disk.append({accepted(seq, 7)});
    disk.sync([](LogPosition) {});
    run_for(scheduler, milliseconds(150));
    disk.crash();
    CHECK_FALSE(disk.lost_vote());
  }
  disk.lose_from(3);
  REQUIRE(disk.lost_vote());
  CHECK(disk.lost_vote()->view == 7);
  CHECK(disk.lost_vote()->seq == 4);  // the fifth came after the mark was written
}

TEST_CASE("disk: serves decided slots with their calls, from whichever record has them") {
  Scheduler scheduler;
  Disk disk({}, scheduler, Random(1));
  const auto call = std::make_shared<const Call>(Operation{.payload = "x"});
  const pbft::Batch batch{.timestamp = 1, .calls = {call->digest}};
  disk.append({pbft::Accepted{.digest = digest_of(batch), .content = {1, batch, {call}}},
               pbft::Decided{.digest = digest_of(batch), .content = {1, batch, {}}}});
  const auto served = disk.decided(1, 9, 100);
  REQUIRE(served.size() == 1);
  CHECK(served[0].calls == std::vector<CallPtr>{call});
  CHECK(disk.decided(2, 9, 100).empty());
}

TEST_CASE("fake keys: a signature fits one signer, one statement, one cluster of keys") {
  const test::FakeKeys keys(1);
  const Signature signature = keys.signer_of(2).sign(digest("a"));
  CHECK(keys.verify(2, digest("a"), signature));
  CHECK_FALSE(keys.verify(3, digest("a"), signature));
  CHECK_FALSE(keys.verify(2, digest("b"), signature));
  CHECK_FALSE(test::FakeKeys(2).verify(2, digest("a"), signature));
  CHECK_FALSE(keys.verify(2, digest("a"), Signature{}));
}

TEST_CASE("gate: passes what its sender signed and nobody else's word") {
  const Scenario scenario = draw_scenario(1, Profile::kSwarm, 1000);
  const test::FakeKeys keys(1);
  const Gate gate(scenario.settings, keys);
  Message message = pbft::Checkpoint{.seq = 128, .digest = digest("a")};
  gate.sign(keys.signer_of(1), message);
  const auto shared = std::make_shared<const Message>(message);
  CHECK(gate.passes(Envelope{1, shared, {}}, 0));
  CHECK_FALSE(gate.passes(Envelope{2, shared, {}}, 0));
}

TEST_CASE("reference new view: the highest view's certificate, nulls between, nothing below h") {
  pbft::ViewChange low{.sender = 0};
  low.prepared = {{.view = 0, .seq = 129, .digest = digest("old")},
                  {.view = 0, .seq = 131, .digest = digest("c")}};
  pbft::ViewChange high{.sender = 1, .stable = {.seq = 128}};
  high.prepared = {{.view = 1, .seq = 129, .digest = digest("new")}};
  low.prepared.push_back({.view = 5, .seq = 7, .digest = digest("below h")});
  const ReferenceNewView reference = reference_new_view({low, high});
  CHECK(reference.had_choice);
  CHECK(reference.order == std::map<Seq, Digest>{{129, digest("new")},
                                                 {130, pbft::null_digest()},
                                                 {131, digest("c")}});
}

struct Record {
  explicit Record(std::uint32_t committers)
      : scenario(draw_scenario(1, Profile::kRestarts, 1000)),
        history(
            scenario, [committers](Seq, const Digest&) { return committers; }, verdict, marks) {}

  void decide(Place place, Seq seq, const std::string& payload, Index index) {
    const Operation operation{.id = {0, 1, index}, .deadline = 1000, .payload = payload};
    const auto call = std::make_shared<const Call>(operation);
    history.recorded(place, pbft::Decided{.digest = call->digest,
                                          .content = {.seq = seq, .batch = {}},
                                          .timestamp = 5,
                                          .last_index = index});
    Decision decision{.seq = seq, .timestamp = 5};
    decision.calls.push_back({.call = call, .index = index});
    history.executed(place, decision);
  }
  void submit(const std::string& payload, std::uint64_t number) {
    const Operation operation{.id = {0, 1, number}, .deadline = 1000, .payload = payload};
    history.submitted(operation, digest_of(operation));
  }

  Scenario scenario;
  Verdict verdict;
  Marks marks;
  History history;
};

TEST_CASE("history: the same order on two nodes is in order; another batch is not") {
  Record record(10);
  record.submit("a", 1);
  record.submit("b", 2);
  record.decide(0, 1, "a", 1);
  record.decide(1, 1, "a", 1);
  record.decide(0, 2, "b", 2);
  CHECK(record.verdict.failure().empty());
  record.decide(1, 2, "a", 2);
  CHECK_THAT(record.verdict.failure(), Catch::Contains("AGREEMENT"));
}

TEST_CASE("history: notices calls that nobody made, gaps, and slots that no quorum holds") {
  Record invented(10);
  invented.decide(0, 1, "a", 1);
  CHECK_THAT(invented.verdict.failure(), Catch::Contains("VALIDITY"));

  Record gap(10);
  gap.submit("a", 1);
  gap.decide(0, 2, "a", 1);
  CHECK_FALSE(gap.verdict.failure().empty());

  Record alone(1);
  alone.submit("a", 1);
  alone.decide(0, 1, "a", 1);
  CHECK_THAT(alone.verdict.failure(), Catch::Contains("no quorum"));
}

TEST_CASE("history: notices a call that is executed again") {
  Record record(10);
  record.submit("a", 1);
  record.decide(0, 1, "a", 1);
  record.decide(0, 2, "a", 1);
  CHECK_FALSE(record.verdict.failure().empty());
}

TEST_CASE("scenario: a seed means the same each time, and never more liars than f") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const Scenario scenario = draw_scenario(seed, std::nullopt, 20'000);
    CHECK(describe(scenario) == describe(draw_scenario(seed, std::nullopt, 20'000)));
    const std::uint32_t f = scenario.settings.membership.quorum().faulty();
    CHECK(scenario.traitors.size() <= f);
    if (scenario.profile == Profile::kAmnesia) {
      CHECK(scenario.traitors.size() + scenario.amnesiacs <= f);
    }
  }
}

TEST_CASE("planted bugs: every rule has seeds recorded, at most twenty") {
  CHECK(planted_bugs().size() >= 36);
  for (const PlantedBug& bug : planted_bugs()) {
    INFO(bug.name);
    CHECK_FALSE(bug.seeds.empty());
    CHECK(bug.seeds.size() <= 20);
  }
}

}  // namespace
}  // namespace zap::simulation
