// consensus/pbft/replica.h - Practical Byzantine Fault Tolerance, one replica.

#pragma once

#include <memory>

#include "consensus/engine.h"
#include "consensus/pbft/restore.h"
#include "consensus/pbft/settings.h"

namespace zap::pbft {

/// A replica that starts from what its log told (Restored{cluster} for an empty one). `policy` is
/// Policy{} everywhere but in the simulator.
std::unique_ptr<Engine> make_replica(Settings settings, Restored restored, Policy policy = {});

}  // namespace zap::pbft
