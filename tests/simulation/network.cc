#include "tests/simulation/network.h"

#include <algorithm>

namespace zap::simulation {

Network::Network(std::size_t places, NetworkFaults faults, Scheduler& scheduler, Random random,
                 Deliver deliver, LinkUp link_up)
    : places_(places),
      faults_(faults),
      scheduler_(scheduler),
      random_(random),
      deliver_(std::move(deliver)),
      link_up_(std::move(link_up)),
      links_(places * places) {}

void Network::send(Place from, Place to, const EnvelopePtr& envelope) {
  if (!link(from, to).open) return;
  if (random_.chance(faults_.loss)) return;
  if (faults_.commit_loss > 0 && std::holds_alternative<pbft::Commit>(*envelope->message) &&
      random_.chance(faults_.commit_loss)) {
    return;
  }
  put_on(from, to, envelope);
  if (random_.chance(faults_.duplicate)) put_on(from, to, envelope);
}

void Network::put_on(Place from, Place to, const EnvelopePtr& envelope) {
  Link& way = link(from, to);
  if (way.in_flight >= kInFlightMax) return;
  Duration delay = random_.between(faults_.delay_min, faults_.delay_max);
  if (random_.chance(faults_.straggle)) delay = 20 * faults_.delay_max;
  Instant arrival = scheduler_.now() + delay;
  if (faults_.keeps_order) arrival = std::max(arrival, way.last_arrival);
  way.last_arrival = arrival;
  ++way.in_flight;
  scheduler_.at(arrival, [this, from, to, envelope] {
    Link& arrived_over = link(from, to);
    --arrived_over.in_flight;
    if (arrived_over.open) deliver_(from, to, envelope);
  });
}

void Network::cut(Place from, Place to) { link(from, to).open = false; }

void Network::mend(Place from, Place to) {
  if (link(from, to).open) return;
  link(from, to).open = true;
  if (link(to, from).open) link_up_(from, to);
}

void Network::mend_all() {
  for (Place from = 0; from < places_; ++from) {
    for (Place to = 0; to < places_; ++to) mend(from, to);
  }
}

void Network::calm_down() {
  faults_ = NetworkFaults{
      .delay_min = faults_.delay_min,
      .delay_max = std::min<Duration>(faults_.delay_max, 10 * NetworkFaults{}.delay_max)};
}

}  // namespace zap::simulation
