// tests/simulation/random.h - the only source of chance in a run: the same seed, the same numbers,
// on every machine and with every standard library.

#pragma once

#include <cstdint>
#include <vector>

#include "core/time.h"

namespace zap::simulation {

/// Also a fair hash of one number.
inline std::uint64_t scrambled(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA'14).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(scrambled(seed)) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    return scrambled(state_);
  }
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  /// Both ends included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  Duration between(Duration low, Duration high) {
    return Duration(low.count() + static_cast<Duration::rep>(below(
                                      static_cast<std::uint64_t>(high.count() - low.count() + 1))));
  }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
  }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }
  /// A stream of its own, so that one part's draws do not shift another's.
  Random fork() { return Random(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace zap::simulation
