// tests/simulation/marks.h - "sometimes" assertions: what a good set of seeds must have met.
//
// A run that never saw a view change during a view change proves nothing about one. Each mark
// counts how often its situation came up; a run over many seeds names those that never did.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace zap::simulation {

enum class Mark {
  kNullRequestDecided,
  kNewView,
  kNewViewReproposes,
  kNewViewChoosesAmongCertificates,
  kViewChangeDuringViewChange,
  kCheckpointStable,
  kStableProofSent,
  kDecidedDigestsSent,
  kBatchesFetched,
  kCallsFetched,
  kCallsForwarded,
  kEquivocationSeen,
  kAmnesiaEntered,
  kAmnesiaLeft,
  kShownToReturning,
  kRestart,
  kRestartInViewChange,
  kCrashWithinStep,
  kUnsyncedLost,
  kSyncedLost,
  kCorruptionFound,
  kForgeryRefused,
  kDuplicateDecided,
  kExpiredDecided,
  kVoidDecided,
  kKeyRepeated,
  kKeyReused,
  kKeyForgotten,
  kBarrierDecided,
  kApplicationBehind,
  kRoomExhausted,
  kClockJump,
  kPause,
  kPartition,
  kCount,
};
std::string_view to_string(Mark mark);

class Marks {
 public:
  void reach(Mark mark) { ++counts_[static_cast<std::size_t>(mark)]; }
  std::uint64_t count(Mark mark) const { return counts_[static_cast<std::size_t>(mark)]; }
  void add(const Marks& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Mark::kCount)> counts_{};
};

}  // namespace zap::simulation
