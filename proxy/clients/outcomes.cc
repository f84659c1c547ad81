#include "proxy/clients/outcomes.h"

namespace zap {

void Outcomes::add(const Decision& decision) {
  for (const DecidedCall& decided : decision.calls) {
    if (decided.outcome == Outcome::kDuplicate) continue;
    const OperationId& id = decided.call->operation.id;
    std::vector<Slot>& ring = rings_[id.origin];
    if (ring.empty()) ring.resize(ring_size_);
    ring[id.number % ring_size_] = {id.incarnation, id.number, {decided.outcome, decided.index}};
  }
}

std::optional<Outcomes::Known> Outcomes::find(const OperationId& id) const {
  const auto ring = rings_.find(id.origin);
  if (ring == rings_.end()) return std::nullopt;
  const Slot& slot = ring->second[id.number % ring_size_];
  if (slot.incarnation != id.incarnation || slot.number != id.number) return std::nullopt;
  return slot.known;
}

}  // namespace zap
