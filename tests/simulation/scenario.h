// tests/simulation/scenario.h - what one seed stands for: the cluster, its settings, and which
// faults come how often.
//
// Swarm testing (Groce et al., ISSTA'12): each seed turns on a random subset of the faults, since
// runs with all of them at once never get far enough to meet the rare ones.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consensus/pbft/settings.h"
#include "core/result.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/envelope.h"
#include "tests/simulation/network.h"

namespace zap::simulation {

/// What kind of story a seed tells.
enum class Profile {
  kSwarm,     ///< any mixture of faults within the model
  kTraitors,  ///< Byzantine replicas above all, with a few crashes
  kRestarts,  ///< crashes at every effect boundary above all
  kAmnesia,   ///< logs lose what they had reported as synced, at most f at once
  kDisaster,  ///< f + 1 disks are wiped: no fork, and it may stop for good
  kCalm,      ///< whole network, lying origins, stopped applications: no view may change
};
inline constexpr Profile kProfiles[] = {Profile::kSwarm,   Profile::kTraitors, Profile::kRestarts,
                                        Profile::kAmnesia, Profile::kDisaster, Profile::kCalm};
std::string_view to_string(Profile profile);
Result<Profile> parse_profile(std::string_view name);

/// How one Byzantine replica lies. It runs a real replica; this says what is done to what it says.
struct Treachery {
  enum class Origin { kHonest, kTwoPayloads, kLeaderOnly, kAllButLeader, kOneBackup, kFlood };

  bool equivocates = false;          ///< two pre-prepares for a slot, one to each half
  bool invents_calls = false;        ///< proposes and spreads calls that nobody made
  bool wrong_new_view = false;       ///< O is not what V says
  bool omits_certificates = false;   ///< P is empty or has a hole
  bool forges_certificates = false;  ///< P has a certificate that nobody signed
  bool bad_digests = false;          ///< the batch does not fit its digest
  bool replays = false;              ///< says old things again, its own and others'
  bool foreign_epoch = false;        ///< signs for another epoch
  bool lies_decided = false;         ///< other digests as decided, other contents in batches
  bool lies_status = false;          ///< far ahead, or far behind
  bool lies_shown = false;           ///< hides from a returning replica what that has said
  bool rushes_views = false;         ///< VIEW-CHANGEs for far views
  bool content = false;              ///< wishes for no other leader, whatever it waits for
  bool rushes_clock = false;         ///< proposes timestamps far ahead
  bool revives_calls = false;        ///< proposes calls of an origin's life before
  std::optional<NodeId> censors;     ///< does not want to know of this origin's calls
  Origin origin = Origin::kHonest;
  Duration delay{};  ///< what it says as the leader comes so late
  bool delays_proposals_only = false;
  /// By message type (its index in Message): to which places it is not sent.
  std::vector<std::uint32_t> withheld;
};

struct Traitor {
  NodeId node = 0;
  bool twins = false;  ///< a second process with the same key
  Treachery treachery;
};

struct Interval {
  Duration mean{};     ///< between two of them; zero: never
  Duration longest{};  ///< of one of them
};

struct Scenario {
  std::uint64_t seed = 0;
  Profile profile = Profile::kSwarm;
  pbft::Settings settings;  ///< self is each node's own
  std::vector<Traitor> traitors;

  NetworkFaults network;
  DiskFaults disk;

  enum class Cut { kHalves, kRing, kBridge, kOneWay, kFlapping, kAlone };
  std::vector<Cut> cuts;
  Interval partitions;
  Interval crashes;
  double crash_within_step = 0;  ///< chance that a crash waits for some effect boundary
  Interval pauses;
  Interval clock_jumps;
  Duration clock_skew{};
  std::uint32_t amnesiacs = 0;  ///< this many crashes lose synced records as well
  bool wipes = false;           ///< ... all of them
  double flips = 0;             ///< chance that it is one bit instead, and the log finds out

  Duration apply_max{};  ///< of the application, for one call
  Interval application_stops;

  Interval turns;               ///< of a client
  std::uint64_t burst = 1;      ///< calls at one turn
  std::uint64_t calls_max = 0;  ///< over all nodes, before the end
  double short_deadlines = 0;
  double keyed = 0;        ///< chance that a call has an idempotency key
  std::uint64_t keys = 1;  ///< so many that clients choose from
  double barriers = 0;

  std::uint64_t events = 0;  ///< of which the last two fifths are left for the calm end

  bool is_traitor(NodeId node) const;
  const Traitor* traitor(NodeId node) const;
  /// One place for each node, then one for each second twin.
  std::vector<NodeId> places() const;
};

/// In a few lines, for the report of a failure.
std::string describe(const Scenario& scenario);

/// Everything that `seed` decides. Without a profile, the seed chooses one.
Scenario draw_scenario(std::uint64_t seed, std::optional<Profile> profile, std::uint64_t events);

}  // namespace zap::simulation
