#include "tests/simulation/application.h"

#include <algorithm>

namespace zap::simulation {

Application::Application(Duration apply_max, Scheduler& scheduler, Random random, Report report)
    : apply_max_(apply_max), scheduler_(scheduler), random_(random), report_(std::move(report)) {}

void Application::take(const Decision& decision) {
  if (apply_max_ == Duration{} && stopped_until_ <= scheduler_.now() && waiting_ == 0) return;
  waiting_ += decision.calls.size();
  tell();
  if (!working_ && waiting_ > 0) work();
}

void Application::work() {
  working_ = true;
  const Instant ready = std::max(stopped_until_, scheduler_.now());
  // Sixteen at a time: an event for each would be all that a run consists of.
  const std::size_t taken = std::min<std::size_t>(waiting_, 16);
  const Duration cost = static_cast<Duration::rep>(taken) * random_.between({}, apply_max_);
  scheduler_.at(ready + cost, [this, taken, run = run_] {
    if (run != run_) return;
    working_ = false;
    waiting_ -= taken;
    if (waiting_ > 0) work();
    tell();
  });
}

void Application::tell() {
  full_ = full_ ? waiting_ > kRoomAgain : waiting_ >= kFull;
  report_({waiting_, full_});
}

void Application::stop_for(Duration duration) {
  stopped_until_ = std::max(stopped_until_, scheduler_.now() + duration);
}

void Application::restart() {
  ++run_;
  working_ = false;
  full_ = false;
  waiting_ = 0;
}

void Application::calm_down() {
  apply_max_ = {};
  stopped_until_ = {};
}

}  // namespace zap::simulation
