// tests/unit/proxy/loop_runner.h - runs a loop until something holds.

#pragma once

#include <catch2/catch.hpp>
#include <functional>

#include "proxy/net/event_loop.h"

namespace zap {

/// Turns the loop until `condition` holds; fails the test after ten seconds.
inline void run_until(EventLoop& loop, const std::function<bool()>& condition) {
  const Instant end = read_clocks().instant + std::chrono::seconds(10);
  Timer poll(loop, [&] {
    if (condition() || read_clocks().instant > end) return loop.stop();
    poll.after(std::chrono::milliseconds(1));
  });
  poll.after(Duration(0));
  loop.run();
  REQUIRE(condition());
}

/// Turns the loop for a while, for what must not happen.
inline void run_for(EventLoop& loop, Duration time) {
  Timer end(loop, [&] { loop.stop(); });
  end.after(time);
  loop.run();
}

}  // namespace zap
