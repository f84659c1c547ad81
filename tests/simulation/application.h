// tests/simulation/application.h - the application beside one node: takes decided calls in order,
// slowly at times, and says when too many wait.

#pragma once

#include <functional>

#include "consensus/engine.h"
#include "tests/simulation/random.h"
#include "tests/simulation/scheduler.h"

namespace zap::simulation {

class Application {
 public:
  using Report = std::function<void(const Backlog&)>;

  Application(Duration apply_max, Scheduler& scheduler, Random random, Report report);

  void take(const Decision& decision);
  void stop_for(Duration duration);
  /// The process that feeds it is gone: forgets everything.
  void restart();
  void calm_down();

  bool is_full() const { return full_; }
  std::size_t waiting() const { return waiting_; }

 private:
  static constexpr std::size_t kFull = 256;
  static constexpr std::size_t kRoomAgain = 128;

  void work();
  void tell();

  Duration apply_max_;
  Scheduler& scheduler_;
  Random random_;
  Report report_;
  Instant stopped_until_{};
  std::size_t waiting_ = 0;  ///< calls
  bool working_ = false;
  bool full_ = false;
  std::uint64_t run_ = 0;
};

}  // namespace zap::simulation
