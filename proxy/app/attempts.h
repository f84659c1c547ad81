// proxy/app/attempts.h - how long to wait before an application is tried again.
//
// Connections that carry nothing are tried after growing pauses. A call that breaks its connection
// each time blocks the queue: it is sent again after longer ones, and never skipped.
//
// Threads: one.

#pragma once

#include <algorithm>
#include <cstdint>

#include "core/ids.h"
#include "core/time.h"

namespace zap {

class Attempts {
 public:
  void connection_failed() { ++failures_; }
  void connection_served() { failures_ = 0; }

  /// The connection broke with call `first` at the head of those not answered.
  void call_broke(Index first) {
    breaks_ = first == breaking_ ? breaks_ + 1 : 1;
    breaking_ = first;
  }
  void call_answered(Index index) {
    failures_ = 0;
    if (index >= breaking_) breaks_ = 0;
  }

  bool blocked() const { return breaks_ >= kBlockedFrom; }
  Index breaking() const { return breaking_; }
  std::uint64_t breaks() const { return breaks_; }  ///< in a row

  Duration pause() const {
    Duration pause{};
    if (failures_ > 1) pause = doubled(kFirstRetry, failures_ - 2, kLongestRetry);
    if (blocked()) {
      pause = std::max(pause, doubled(kFirstPause, breaks_ - kBlockedFrom, kLongestPause));
    }
    return pause;
  }

 private:
  /// Between attempts to connect to an application that does not listen.
  static constexpr Duration kFirstRetry = std::chrono::milliseconds(10);
  static constexpr Duration kLongestRetry = std::chrono::milliseconds(500);
  /// Between attempts of one call that breaks the application.
  static constexpr Duration kFirstPause = std::chrono::milliseconds(100);
  static constexpr Duration kLongestPause = std::chrono::seconds(10);
  /// A call that broke its connection so often in a row blocks the queue.
  static constexpr std::uint64_t kBlockedFrom = 2;

  static Duration doubled(Duration first, std::uint64_t times, Duration longest) {
    return std::min(longest, first * (1 << std::min<std::uint64_t>(times, 20)));
  }

  std::uint64_t failures_ = 0;  ///< connections in a row that carried nothing
  Index breaking_ = 0;
  std::uint64_t breaks_ = 0;
};

}  // namespace zap
