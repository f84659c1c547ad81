// core/time.h - the two clocks. Timers run on the monotonic one; agreed timestamps and deadlines
// are wall time. They are different types, so that neither is ever taken for the other.

#pragma once

#include <chrono>
#include <cstdint>

namespace zap {

using Duration = std::chrono::nanoseconds;

struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

/// A point on this machine's monotonic clock. Means nothing on another node.
using Instant = MonotonicClock::time_point;
inline constexpr Instant kNever = Instant::max();

/// Nanoseconds since 1970, UTC.
using WallTime = std::int64_t;

/// The two clocks, read once by whoever drives a component and passed in.
struct Now {
  Instant instant;
  WallTime wall = 0;
};

}  // namespace zap
