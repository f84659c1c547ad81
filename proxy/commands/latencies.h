// proxy/commands/latencies.h - how long calls took: any number of them, in 30 KB.
//
// Buckets double in width with each power of two, 64 of them in between, so that a quantile is
// off by at most 1.6%. Threads: none of its own.

#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/time.h"

namespace zap {

class Latencies {
 public:
  void record(Duration took) {
    const auto ns = static_cast<std::uint64_t>(std::max<Duration::rep>(took.count(), 0));
    ++counts_[bucket_of(ns)];
    ++count_;
    max_ = std::max(max_, took);
  }

  std::uint64_t count() const { return count_; }
  Duration max() const { return max_; }

  /// What a share `q` of all calls, from 0 to 1, did not exceed; zero where there were none.
  Duration quantile(double q) const {
    const auto rank = static_cast<std::uint64_t>(q * static_cast<double>(count_));
    std::uint64_t passed = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      passed += counts_[bucket];
      if (passed > rank) return std::min(upper_end_of(bucket), max_);
    }
    return max_;
  }

 private:
  static constexpr unsigned kBits = 6;
  static constexpr std::uint64_t kPerPower = 1 << kBits;

  static std::size_t bucket_of(std::uint64_t ns) {
    if (ns < kPerPower) return ns;
    const auto shift = static_cast<unsigned>(std::bit_width(ns)) - kBits - 1;
    return kPerPower * (shift + 1) + ((ns >> shift) - kPerPower);
  }

  static Duration upper_end_of(std::size_t bucket) {
    if (bucket < kPerPower) return Duration(bucket);
    const std::uint64_t shift = bucket / kPerPower - 1;
    return Duration(((kPerPower + bucket % kPerPower + 1) << shift) - 1);
  }

  std::array<std::uint64_t, kPerPower*(64 - kBits)> counts_{};
  std::uint64_t count_ = 0;
  Duration max_{0};
};

}  // namespace zap
