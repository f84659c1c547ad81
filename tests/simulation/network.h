// tests/simulation/network.h - links between replicas: they lose, delay, reorder and duplicate,
// and they can be cut, each direction by itself. Bounded: a link that is full drops what comes.

#pragma once

#include <functional>
#include <vector>

#include "tests/simulation/envelope.h"
#include "tests/simulation/random.h"
#include "tests/simulation/scheduler.h"

namespace zap::simulation {

struct NetworkFaults {
  Duration delay_min = std::chrono::microseconds(50);
  Duration delay_max = std::chrono::microseconds(500);
  double loss = 0;
  double duplicate = 0;
  double straggle = 0;      ///< chance that a message takes twenty times the greatest delay
  bool keeps_order = true;  ///< false: messages of one link overtake each other
  double commit_loss = 0;   ///< loss of COMMITs alone: slots stay prepared for long
};

class Network {
 public:
  using Deliver = std::function<void(Place from, Place to, const EnvelopePtr&)>;
  using LinkUp = std::function<void(Place, Place)>;

  /// `link_up` is called when the last cut direction between two places is mended.
  Network(std::size_t places, NetworkFaults faults, Scheduler& scheduler, Random random,
          Deliver deliver, LinkUp link_up);

  void send(Place from, Place to, const EnvelopePtr& envelope);

  void cut(Place from, Place to);
  void mend(Place from, Place to);
  void mend_all();
  bool is_open(Place from, Place to) const { return link(from, to).open; }

  /// From now on nothing is lost, and delays are the shortest.
  void calm_down();

 private:
  struct Link {
    bool open = true;
    std::size_t in_flight = 0;
    Instant last_arrival{};
  };
  static constexpr std::size_t kInFlightMax = 4096;

  Link& link(Place from, Place to) { return links_[from * places_ + to]; }
  const Link& link(Place from, Place to) const { return links_[from * places_ + to]; }
  void put_on(Place from, Place to, const EnvelopePtr& envelope);

  const std::size_t places_;
  NetworkFaults faults_;
  Scheduler& scheduler_;
  Random random_;
  Deliver deliver_;
  LinkUp link_up_;
  std::vector<Link> links_;
};

}  // namespace zap::simulation
