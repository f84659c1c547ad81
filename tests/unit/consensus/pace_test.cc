#include "consensus/pbft/pace.h"

#include <catch2/catch.hpp>

using namespace zap;
using namespace zap::pbft;
using namespace std::chrono_literals;

namespace {

Pace pace() { return {500ms, 2s, 2}; }

/// So long under one leader, with calls that wait so long each, one after the other.
void lead(Pace& pace, Duration time, Duration wait) {
  for (Duration passed{}; passed < time && !pace.is_too_slow(); passed += wait) {
    pace.decided(wait);
    pace.waited(wait);
  }
}

}  // namespace

TEST_CASE("a leader that delays every call to just below its timer is too slow within seconds") {
  Pace slow = pace();
  lead(slow, 3s, 450ms);
  CHECK(slow.is_too_slow());
  slow.end_view();
  CHECK_FALSE(slow.is_too_slow());
}

TEST_CASE("what is asked rises, until leaders were compared") {
  Pace all_alike = pace();
  CHECK(all_alike.demand() == 250ms);
  lead(all_alike, 59s, 100ms);
  CHECK_FALSE(all_alike.is_too_slow());
  lead(all_alike, 120s, 100ms);
  CHECK(all_alike.is_too_slow());
  all_alike.end_view();
  lead(all_alike, 200s, 100ms);
  CHECK(all_alike.is_too_slow());
  all_alike.end_view();
  CHECK(all_alike.demand() == 300ms);
  lead(all_alike, 1h, 100ms);
  CHECK_FALSE(all_alike.is_too_slow());
}

TEST_CASE("a leader is too slow at more than three times what the best one took") {
  Pace compared = pace();
  for (const Duration wait : {200ms, 20ms}) {
    lead(compared, 10s, wait);
    compared.end_view();
  }
  lead(compared, 10s, 59ms);
  CHECK_FALSE(compared.is_too_slow());
  lead(compared, 10s, 70ms);
  CHECK(compared.is_too_slow());
}

TEST_CASE("a few milliseconds are good enough, and so is a leader without calls") {
  Pace fast = pace();
  for (int view = 0; view < 2; ++view) {
    lead(fast, 10s, 1ms);
    fast.end_view();
  }
  CHECK(fast.demand() == 31'250us);
  fast.waited(1h);
  CHECK_FALSE(fast.is_too_slow());
}
