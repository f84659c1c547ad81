#include <catch2/catch.hpp>

#include "proxy/face/phase_times.h"
#include "proxy/peers/peer_view.h"

using namespace zap;
using namespace std::chrono_literals;

namespace {

Decision decision(Seq seq, const std::vector<Index>& indexes) {
  Decision made{.seq = seq};
  for (const Index index : indexes) {
    made.calls.push_back({.call = std::make_shared<Call>(Operation{}), .index = index});
  }
  return made;
}

}  // namespace

TEST_CASE("peer view: a peer's slot is shown as the index that it ends with") {
  PeerView view;
  view.decided(decision(1, {1, 2, 3}));
  view.decided(decision(2, {}));
  view.decided(decision(3, {4}));
  view.said(1, {.active = true, .decided = 2});
  view.said(2, {.active = true, .decided = 9});
  CHECK(view.commit_index_of(1) == 3);
  CHECK(view.commit_index_of(2) == 4);
  CHECK_FALSE(view.commit_index_of(3));
}

TEST_CASE("peer view: a peer's state follows from its link and its last word") {
  PeerView view;
  for (Seq seq = 1; seq <= 300; ++seq) view.decided(decision(seq, {seq}));
  CHECK(view.state_of(1, true) == NodeState::kStarting);
  view.said(1, {.active = true, .decided = 299});
  CHECK(view.state_of(1, true) == NodeState::kNormal);
  CHECK(view.state_of(1, false) == NodeState::kUnreachable);
  view.said(1, {.active = false, .decided = 299});
  CHECK(view.state_of(1, true) == NodeState::kViewChange);
  view.said(1, {.active = true, .decided = 100});
  CHECK(view.state_of(1, true) == NodeState::kCatchingUp);
  view.lost(1);
  CHECK(view.state_of(1, true) == NodeState::kStarting);
}

TEST_CASE("phase times: from accepted to prepared, from prepared to decided, once a slot") {
  Metrics metrics(Membership{}, "node1", "0.1.0");
  PhaseTimes times(metrics);
  const Instant start{100s};
  times.record(pbft::Accepted{.content = {.seq = 7}}, start);
  times.record(pbft::Certificate{.seq = 7}, start + 2ms);
  times.record(pbft::Certificate{.view = 1, .seq = 7}, start + 9ms);
  times.record(pbft::Decided{.content = {.seq = 7}}, start + 5ms);
  times.record(pbft::Decided{.content = {.seq = 8}}, start + 5ms);

  const auto sum = [](const prometheus::Histogram& histogram) {
    return histogram.Collect().histogram;
  };
  CHECK(sum(metrics.prepare_seconds).sample_count == 1);
  CHECK(sum(metrics.prepare_seconds).sample_sum == Approx(0.002));
  CHECK(sum(metrics.commit_seconds).sample_count == 1);
  CHECK(sum(metrics.commit_seconds).sample_sum == Approx(0.003));
}
