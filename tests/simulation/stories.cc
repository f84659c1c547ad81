#include "tests/simulation/stories.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <set>
#include <utility>

#include "tests/support/lockstep.h"

namespace zap::simulation {

namespace {

using namespace std::chrono_literals;
using test::InFlight;
using test::is;
using test::Lockstep;

std::string unless(bool good, const char* what) { return good ? "" : what; }

bool all_applied(const Lockstep& cluster, const std::string& calls) {
  for (NodeId node = 0; node < 4; ++node) {
    if (cluster.applied(node) != calls) return false;
  }
  return true;
}

std::string no_commit_arrives(const pbft::Policy& policy) {
  Lockstep cluster(4, {}, policy);
  cluster.submit(1, "a");
  cluster.pass(5s, [](const InFlight& m) {
    const auto* commit = std::get_if<pbft::Commit>(m.message.get());
    return commit && commit->view == 0;
  });
  return unless(all_applied(cluster, "a"),
                "a call whose COMMITs are lost for good is proposed and then watched by nobody");
}

std::string checkpoints_are_lost(const pbft::Policy& policy) {
  Lockstep cluster(4, {}, policy);
  for (int call = 0; call < 300; ++call) {
    cluster.submit(0, "a");
    cluster.deliver([](const InFlight& m) { return is<pbft::Checkpoint>(m); });
  }
  cluster.pass(10s);
  return unless(cluster.state(1).commit_index == 300,
                "CHECKPOINTs that were lost once stay lost, and the window stands still");
}

std::string applications_stop_for_a_minute(const pbft::Policy& policy) {
  Lockstep cluster(4, {}, policy);
  cluster.submit(1, "a");
  for (NodeId node = 0; node < 4; ++node) cluster.backlog(node, true);
  cluster.pass(60s, [](const InFlight& m) { return is<pbft::Commit>(m); });
  return unless(cluster.state(1).view == 0,
                "every application stands still for a minute, and the leader is changed for it");
}

std::string one_hears_nothing_for_a_moment(const pbft::Policy& policy) {
  Lockstep cluster(4, {}, policy);
  cluster.submit(3, "a");
  cluster.pass(2s, [](const InFlight& m) { return m.to == 3; });
  cluster.pass(2s);
  cluster.stop(2);
  cluster.submit(1, "b");
  cluster.deliver();
  return unless(cluster.state(0).view == 0 && cluster.applied(0) == "a b",
                "one replica heard nothing for two seconds, and is of no use in the view any more");
}

/// Says to `to` that `peer` wants `view`.
void say_wants(Lockstep& cluster, NodeId peer, NodeId to, View view) {
  pbft::Status status;
  status.active = true;
  status.wants = view;
  cluster.forge(peer, to, status);
}

std::string one_left_alone(const pbft::Policy& policy) {
  Lockstep cluster(4, {}, policy);
  for (const NodeId peer : {0, 1, 2}) say_wants(cluster, peer, 3, 1);
  cluster.deliver([](const InFlight& m) { return is<pbft::Status>(m) && m.from == 3; });
  if (cluster.state(3).view != 1 || cluster.state(0).view != 0) return "the story is wrong";
  cluster.pass(20s);
  cluster.stop(2);
  cluster.submit(1, "a");
  cluster.deliver();
  return unless(cluster.applied(0) == "a" && cluster.applied(3) == "a",
                "a replica that left its view alone never votes again, and f is used up");
}

std::string one_wants_out_for_ever(const pbft::Policy& policy) {
  Lockstep cluster(4, {}, policy);
  for (int second = 0; second < 300; ++second) {
    for (const NodeId to : {0, 1, 2}) say_wants(cluster, 3, to, cluster.state(to).view + 1);
    cluster.deliver();
    cluster.pass(1s, [](const InFlight& m) { return m.from == 3; });
  }
  return unless(cluster.state(0).view <= 6,
                "one liar has the view changed more than once a minute");
}

std::string all_restart_and_proofs_are_lost(const pbft::Policy& policy) {
  Lockstep cluster(4, {}, policy);
  cluster.submit(0, "a");
  cluster.deliver([](const InFlight& m) { return m.from != m.to; });
  for (NodeId node = 0; node < 4; ++node) cluster.stop(node);
  for (NodeId node = 0; node < 4; ++node) cluster.start(node);
  cluster.submit(2, "b");
  cluster.pass(200ms);
  return unless(all_applied(cluster, "b"),
                "the next call waits for a proposal that its leader alone has the calls of");
}

std::string leader_hears_of_no_call(const pbft::Policy& policy) {
  Lockstep cluster(4, {}, policy);
  cluster.submit(2, "a");
  cluster.pass(3s, [](const InFlight& m) { return is<pbft::Bundle>(m) && m.to == 0; });
  return unless(cluster.applied(2) == "a", "a leader that leaves out one origin's calls stays");
}

std::string one_that_forgot_asks_one(const pbft::Policy& policy) {
  // Replica 2 alone holds replica 3's PREPARE, and is not heard when that comes back without its
  // log.
  Lockstep cluster(4, {}, policy);
  cluster.submit(1, "a");
  cluster.deliver([](const InFlight& m) { return m.from == 3 && m.to != 2; });
  cluster.stop(3);
  const std::size_t before = cluster.notices(3).size();
  cluster.start(3, cluster.log(3).size());
  cluster.pass(1s, [](const InFlight& m) { return m.to == 3 && m.from != 1 && m.from != 3; });
  const auto& notices = cluster.notices(3);
  return unless(
      std::none_of(notices.begin() + static_cast<std::ptrdiff_t>(before), notices.end(),
                   [](const Notice& notice) { return notice.kind == Notice::Kind::kReturned; }),
      "one that forgot its PREPARE votes again before it could be told of it");
}

std::string half_hear_of_a_call(const pbft::Policy& policy) {
  Lockstep cluster(4, {}, policy);
  cluster.stop(0);
  cluster.submit(2, "a");
  cluster.pass(3s, [](const InFlight& m) { return is<pbft::Bundle>(m) && m.to == 3; });
  return unless(cluster.state(2).view > 0, "who has heard of no call stays with a dead leader");
}

/// Calls decided in half a minute, where three clients make their next calls as soon as the last
/// are decided, and replica 0 says each proposal so much later.
Index decided_in_half_a_minute(const pbft::Policy& policy, Duration delay) {
  Lockstep cluster(4, {}, policy);
  struct Late {
    Duration due;
    InFlight message;
  };
  std::deque<Late> late;
  std::set<std::pair<Seq, NodeId>> said;
  Duration now{};
  const auto hold = [&](const InFlight& m) {
    const auto* proposal = std::get_if<pbft::PrePrepare>(m.message.get());
    if (!proposal || m.from != 0 || m.to == 0 || said.contains({proposal->seq, m.to})) return false;
    late.push_back({now + delay, m});
    return true;
  };
  Index asked = 0;
  for (; now < 30s; now += 10ms) {
    if (cluster.state(1).commit_index >= asked) {
      for (const NodeId client : {1, 2, 3}) cluster.submit(client, "a");
      asked += 3;
    }
    cluster.pass(10ms, hold);
    for (; !late.empty() && late.front().due <= now; late.pop_front()) {
      const InFlight& m = late.front().message;
      said.emplace(std::get<pbft::PrePrepare>(*m.message).seq, m.to);
      cluster.forge(m.from, m.to, *m.message);
    }
    cluster.deliver(hold);
  }
  return cluster.state(1).commit_index;
}

std::string leader_waits_for_the_timer(const pbft::Policy& policy) {
  const Index slow = decided_in_half_a_minute(policy, 400ms);
  const Index honest = decided_in_half_a_minute({}, 0ms);
  return unless(slow * 10 >= honest * 3,
                "a leader that delays all to just below the timer keeps its view");
}

}  // namespace

const std::vector<Story>& stories() {
#define STORY(rule, play)                                          \
  {                                                                \
#rule, [](pbft::Policy & policy) { policy.rule = true; }, play \
  }
  static const std::vector<Story> kStories = {
      STORY(timer_stops_at_prepare, no_commit_arrives),
      STORY(help_without_own_votes, checkpoints_are_lost),
      STORY(timers_run_with_full_backlog, applications_stop_for_a_minute),
      STORY(timers_on_own_calls_only, leader_hears_of_no_call),
      STORY(no_join_on_weak_quorum, half_hear_of_a_call),
      STORY(vote_before_others_spoke, one_that_forgot_asks_one),
      STORY(slow_leader_stays, leader_waits_for_the_timer),
      STORY(leader_never_gives_up, all_restart_and_proofs_are_lost),
      STORY(leaves_view_alone, one_hears_nothing_for_a_moment),
      STORY(left_out_stay_out, one_left_alone),
      STORY(heeds_without_end, one_wants_out_for_ever),
  };
#undef STORY
  return kStories;
}

bool all_stories_end_as_they_must() {
  bool all = true;
  for (const Story& story : stories()) {
    pbft::Policy broken;
    story.plant(broken);
    const std::string failure = story.play(broken);
    const std::string unbroken = story.play({});
    std::printf("%-32s story       %s\n", std::string(story.name).c_str(),
                failure.empty() ? "NOT CAUGHT" : failure.c_str());
    if (!unbroken.empty()) std::printf("%-32s fails without it: %s\n", "", unbroken.c_str());
    all = all && !failure.empty() && unbroken.empty();
  }
  return all;
}

}  // namespace zap::simulation
