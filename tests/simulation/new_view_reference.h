// tests/simulation/new_view_reference.h - O as OSDI'99, 4.4 defines it, written down once more and
// as plainly as can be, to compare the replica's own with.

#pragma once

#include <map>

#include "consensus/pbft/messages.h"

namespace zap::simulation {

struct ReferenceNewView {
  std::map<Seq, Digest> order;  ///< min-s + 1 to max-s
  bool had_choice = false;      ///< some slot had certificates for two different batches
};

ReferenceNewView reference_new_view(const std::vector<pbft::ViewChange>& view_changes);

}  // namespace zap::simulation
