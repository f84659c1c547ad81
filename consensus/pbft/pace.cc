#include "consensus/pbft/pace.h"

#include <algorithm>

namespace zap::pbft {

namespace {

constexpr int kRisesEvery = 30;  ///< times election_timeout, of time in which calls waited
constexpr Duration::rep kMostRises = 8;
constexpr int kOfBest = 3;   ///< so many times the wait under the best leader is good enough
constexpr int kAlways = 16;  ///< a wait of round_timeout / kAlways is, whatever others did

}  // namespace

void Pace::waited(Duration time) {
  busy_ += time;
  period_.busy += time;
  if (period_.busy < election_timeout_) return;
  if (period_.calls > 0) {
    mean_ = period_.waits / period_.calls;
    too_slow_ = *mean_ > demand();
  }
  period_ = {};
}

void Pace::decided(Duration wait) {
  period_.waits += wait;
  ++period_.calls;
}

void Pace::end_view() {
  if (mean_) past_.push_back(*mean_);
  if (past_.size() > enough_views_) past_.pop_front();
  mean_.reset();
  too_slow_ = false;
  busy_ = {};
  period_ = {};
}

Duration Pace::demand() const {
  const Duration::rep rises = std::min(busy_ / (kRisesEvery * election_timeout_), kMostRises);
  const bool known = past_.size() >= enough_views_;
  const Duration asked = known ? kOfBest * *std::min_element(past_.begin(), past_.end())
                               : round_timeout_ / 2 / (Duration::rep{1} << rises);
  return std::max(asked, round_timeout_ / kAlways);
}

}  // namespace zap::pbft
