#include "tests/simulation/scheduler.h"

#include <algorithm>

namespace zap::simulation {

void Scheduler::at(Instant when, Action action) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(actions_.size()));
    actions_.emplace_back();
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  actions_[slot] = std::move(action);
  heap_.push_back({std::max(when, now_), order_++, slot});
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
}

bool Scheduler::run_one() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
  const Planned next = heap_.back();
  heap_.pop_back();
  now_ = next.when;
  ++events_;
  const Action action = std::move(actions_[next.slot]);
  actions_[next.slot] = nullptr;
  free_slots_.push_back(next.slot);
  action();
  return true;
}

}  // namespace zap::simulation
