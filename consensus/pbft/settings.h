// consensus/pbft/settings.h - what a replica is told once, at its start.

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "consensus/ledger.h"
#include "consensus/pbft/pool.h"
#include "core/ids.h"
#include "core/membership.h"
#include "core/time.h"

namespace zap::pbft {

struct Settings {
  NodeId self = 0;
  ClusterId cluster;
  Membership membership;
  std::optional<NodeId> fixed_leader;  ///< leader_election: {fixed: X}; views change all the same

  /// From receiving a call to its decision; then a view change.
  Duration round_timeout = std::chrono::milliseconds(500);
  /// From q VIEW-CHANGEs to a working view; doubles per failed view.
  Duration election_timeout = std::chrono::seconds(2);
  std::size_t batch_size = 100;
  /// Upper bound; an idle pipeline never waits for it.
  Duration batch_timeout = std::chrono::milliseconds(10);
  /// What the founders agree on; a log that holds another agreement overrules it.
  KeyLimits keys = {};
  /// Unordered payload bytes kept of each origin.
  std::size_t pool_bytes = Pool::kBytesPerOrigin;
};

/// Slots from one checkpoint to the next, and the width of the window above a stable one.
inline constexpr Seq kCheckpointInterval = 128;
inline constexpr Seq kWindow = 256;
/// Payload bytes of a batch of more than one call.
inline constexpr std::size_t kBatchBytes = 4'000'000;
/// How far a fresh proposal's timestamp may be ahead of a backup's wall clock.
inline constexpr WallTime kClockTolerance = 1'000'000'000;
/// How far it may lag behind it for longer than election_timeout, before the view is changed.
inline constexpr WallTime kClockLag = 2'000'000'000;
/// Numbers of one origin that may be undecided above its low mark.
inline constexpr std::uint64_t kClientWindow = 4096;

/// Every rule inside the engine that has a planted bug, as one switch. The product constructs
/// Policy{} and nothing else; the simulator switches one rule off at a time and must notice. Rules
/// that can be broken from outside of the engine are in tests/simulation/sabotage.h.
struct Policy {
  // quorums and votes
  std::uint32_t quorum_less = 0;           ///< 0: q as defined. 1: one vote short of a quorum
  bool literal_two_f_plus_one = false;     ///< q = 2f + 1, wrong where n is not 3f + 1
  bool count_messages_not_values = false;  ///< a quorum of differing values passes
  bool vote_after_leaving_view = false;    ///< goes on voting in v after VIEW-CHANGE(v + 1)
  bool accept_second_digest = false;       ///< accepts another digest in an accepted slot
  bool window_twice_as_wide = false;       ///< votes for slots that no checkpoint allows yet
  bool clock_unbounded = false;            ///< a proposal's timestamp may be ahead of every clock
  // view change
  bool new_view_takes_lowest_view = false;        ///< per slot the certificate of the lowest view
  bool new_view_takes_lowest_checkpoint = false;  ///< min-s is the lowest stable checkpoint in V
  bool new_view_without_nulls = false;            ///< leaves gaps instead of null requests
  bool new_view_unchecked = false;                ///< a backup believes O without computing it
  bool no_join_on_weak_quorum = false;            ///< f + 1 who want a higher view move nobody
  bool slow_leader_stays = false;                 ///< ... as long as no call's time is up
  bool leader_never_gives_up = false;             ///< though it cannot prove what it proposed
  bool leaves_view_alone = false;                 ///< one's own suspicion is enough to leave
  bool left_out_stay_out = false;                 ///< no view is left for who cannot vote in it
  bool heeds_without_end = false;                 ///< ... or again and again
  bool election_timer_never_fires = false;        ///< a failed view is waited for forever
  bool view_changes_said_once = false;            ///< a lost VIEW-CHANGE or NEW-VIEW stays lost
  // execution
  bool no_deduplication = false;           ///< the client table is not asked at execution
  bool timestamp_as_proposed = false;      ///< the agreed timestamp may go back
  bool deadlines_ignored = false;          ///< a call is applied however late it is
  bool keys_age_by_own_clock = false;      ///< each node forgets keys by its own wall clock
  bool keys_refused_at_receipt = false;    ///< a call whose key is known is not ordered any more
  bool keys_forgotten_on_restart = false;  ///< a replay of the log records no keys
  // checkpoints, keeping up
  bool collect_before_stable = false;   ///< forgets slots at its own checkpoint, without a quorum
  bool checkpoint_covers_view = false;  ///< the digest takes in what differs between nodes
  bool believe_one_word = false;        ///< one peer's word decides a missing slot
  bool help_without_own_votes = false;  ///< our lost votes stay lost
  // origins
  bool timers_on_own_calls_only = false;  ///< other origins' calls are not watched
  bool timer_stops_at_prepare = false;    ///< a call is watched until it is proposed, no further
  bool timers_run_with_full_backlog = false;  ///< the leader answers for our slow application
  bool pool_unbounded = false;                ///< an origin may fill the memory of everyone
  // restarts, amnesia
  bool vote_before_others_spoke = false;  ///< one other is enough, where q - 1 must
  bool amnesia_without_window = false;    ///< votes from the highest checkpoint on, not 256 above

  /// Those of execution, at a moment of this node's wall clock.
  Ledger::Rules rules(WallTime wall = 0) const {
    Ledger::Rules rules{.deduplicate = !no_deduplication,
                        .timestamps_never_go_back = !timestamp_as_proposed,
                        .deadlines_count = !deadlines_ignored};
    if (keys_age_by_own_clock) rules.keys_age_by = wall;
    return rules;
  }
};

}  // namespace zap::pbft
