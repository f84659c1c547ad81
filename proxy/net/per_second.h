// proxy/net/per_second.h - so many a second, and no more: a bound for what strangers, peers or
// faults can cause as often as they like.
//
// Threads: one.

#pragma once

#include <cstddef>

#include "proxy/net/event_loop.h"

namespace zap {

class PerSecond {
 public:
  explicit PerSecond(std::size_t most) : most_(most) {}

  /// Whether there may be one more now.
  bool allows() {
    const Instant now = read_clocks().instant;
    if (now - second_began_ > std::chrono::seconds(1)) {
      second_began_ = now;
      count_ = 0;
    }
    return ++count_ <= most_;
  }

 private:
  std::size_t most_;
  std::size_t count_ = 0;
  Instant second_began_{};
};

}  // namespace zap
