#include "proxy/face/phase_times.h"

#include <variant>

namespace zap {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void PhaseTimes::record(const Record& record, Instant now) {
  if (const auto* accept = std::get_if<pbft::Accepted>(&record)) {
    accepted(accept->content.seq, now);
  } else if (const auto* certificate = std::get_if<pbft::Certificate>(&record)) {
    prepared(certificate->seq, now);
  } else if (const auto* decide = std::get_if<pbft::Decided>(&record)) {
    decided(decide->content.seq, now);
  }
}

void PhaseTimes::accepted(Seq seq, Instant now) {
  slots_[seq % kSlots] = {.seq = seq, .accepted = now};
}

void PhaseTimes::prepared(Seq seq, Instant now) {
  Slot& slot = slots_[seq % kSlots];
  if (slot.seq != seq || slot.prepared != Instant{}) return;
  slot.prepared = now;
  metrics_.prepare_seconds.Observe(seconds(now - slot.accepted));
}

void PhaseTimes::decided(Seq seq, Instant now) {
  const Slot& slot = slots_[seq % kSlots];
  if (slot.seq != seq || slot.prepared == Instant{}) return;
  metrics_.commit_seconds.Observe(seconds(now - slot.prepared));
}

}  // namespace zap
