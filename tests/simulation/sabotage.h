// tests/simulation/sabotage.h - the rules that a planted bug breaks: those inside the engine
// through its Policy, the others from outside, by bending what a replica is told, what it says, and
// what it starts from. The product knows nothing of the latter.

#pragma once

#include <memory>

#include "consensus/pbft/replica.h"

namespace zap::simulation {

struct Sabotage {
  pbft::Policy policy;

  // the order of effects
  bool vote_before_durable = false;     ///< votes leave with the write, not after it
  bool decisions_out_of_order = false;  ///< two slots of one step change places
  // what is said
  bool no_status = false;                       ///< nobody repairs what was lost
  bool no_fetch = false;                        ///< what is lacking is not asked for
  bool no_forwarding = false;                   ///< the leader is not told of calls that it lacks
  bool no_certificates_in_view_change = false;  ///< P is empty
  bool horizon_untold = false;  ///< the leader does not know that a replica waits for a checkpoint
  // restarts
  bool forget_votes_on_restart = false;        ///< drops accepted slots that were not prepared
  bool forget_view_on_restart = false;         ///< starts active in the last working view
  bool forget_view_change_on_restart = false;  ///< of its own VIEW-CHANGE knows the view alone
  bool incarnation_not_raised = false;         ///< names new calls as it named old ones
  bool vote_after_amnesia = false;             ///< a shortened log votes at once
  // what stands before the engine
  bool payloads_unverified = false;      ///< a call needs no proof of its origin
  bool certificates_unverified = false;  ///< nor a prepared certificate its signatures
  bool signatures_unbound = false;       ///< what was signed once is good in every context
};

/// What a replica starts from, bent.
void sabotage(const Sabotage& sabotage, pbft::Restored& restored);

/// The engine, bent where `sabotage` breaks anything outside of it.
std::unique_ptr<Engine> make_sabotaged(const Sabotage& sabotage, std::unique_ptr<Engine> engine);

}  // namespace zap::simulation
