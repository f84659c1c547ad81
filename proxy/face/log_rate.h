// proxy/face/log_rate.h - a bound for lines about what strangers can cause as often as they like.
//
// Threads: one.

#pragma once

#include "core/time.h"
#include "proxy/net/event_loop.h"

namespace zap {

class LogRate {
 public:
  explicit LogRate(unsigned lines_a_second) : most_(lines_a_second) {}

  /// Whether one more line may be written now.
  bool allows() {
    const Instant now = read_clocks().instant;
    if (now - second_began_ > std::chrono::seconds(1)) {
      second_began_ = now;
      lines_ = 0;
    }
    return ++lines_ <= most_;
  }

 private:
  const unsigned most_;
  Instant second_began_{};
  unsigned lines_ = 0;
};

}  // namespace zap
