// tests/simulation/envelope.h - a message on its way: sent once, shared by all who get it.

#pragma once

#include <memory>
#include <optional>

#include "consensus/engine.h"
#include "core/ids.h"

namespace zap::simulation {

/// A running replica: its place in the simulation. The same as its NodeId, except that two twins
/// share a NodeId.
using Place = std::size_t;

struct Envelope {
  NodeId from = 0;  ///< whose channel carries it: the network does not let anyone lie here
  MessagePtr message;
  mutable std::optional<bool> genuine;  ///< the gate's verdict, the same for every receiver
};
using EnvelopePtr = std::shared_ptr<const Envelope>;

}  // namespace zap::simulation
