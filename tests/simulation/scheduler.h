// tests/simulation/scheduler.h - simulated time: one queue of things to come, in one order.
//
// What happens at the same instant happens in the order in which it was planned, so a run depends
// on nothing but its seed.

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/time.h"

namespace zap::simulation {

class Scheduler {
 public:
  using Action = std::function<void()>;

  Instant now() const { return now_; }
  /// Things that have happened so far.
  std::uint64_t events() const { return events_; }

  /// A time that has passed means: as soon as possible.
  void at(Instant when, Action action);
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }

  /// Lets the next thing happen; false when nothing is planned.
  bool run_one();

 private:
  struct Planned {
    Instant when;
    std::uint64_t order;
    std::uint32_t slot;
    bool operator>(const Planned& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  // Not at zero, so that a subtraction too many shows.
  Instant now_ = Instant(std::chrono::hours(1));
  std::uint64_t events_ = 0;
  std::uint64_t order_ = 0;
  std::vector<Planned> heap_;
  std::vector<Action> actions_;  ///< by slot, so that the heap moves small things only
  std::vector<std::uint32_t> free_slots_;
};

}  // namespace zap::simulation
