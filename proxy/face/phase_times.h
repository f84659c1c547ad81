// proxy/face/phase_times.h - how long each slot takes here, phase by phase, seen from the records
// that the engine writes: accepted, prepared, decided.
//
// Threads: lives on the main loop.

#pragma once

#include <array>

#include "consensus/engine.h"
#include "core/time.h"
#include "proxy/face/metrics.h"

namespace zap {

class PhaseTimes {
 public:
  explicit PhaseTimes(Metrics& metrics) : metrics_(metrics) {}

  /// A record that is about to be written.
  void record(const Record& record, Instant now);

 private:
  static constexpr std::size_t kSlots = 512;  ///< above the window: no two live slots share one
  struct Slot {
    Seq seq = 0;
    Instant accepted{};
    Instant prepared{};
  };

  void accepted(Seq seq, Instant now);
  void prepared(Seq seq, Instant now);
  void decided(Seq seq, Instant now);

  Metrics& metrics_;
  std::array<Slot, kSlots> slots_{};  ///< slot s at s % kSlots
};

}  // namespace zap
