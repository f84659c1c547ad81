// Whether to leave a view.
//
// A VIEW-CHANGE cannot be taken back: its sender votes no more below. So nobody leaves a view
// alone. A replica whose time is up first says, in its status, which view it wants, and goes on
// voting; f + 1 who want a higher one make everyone want it, and q who do leave together. This is
// the STOP message of Sousa & Bessani, "From Byzantine Consensus to BFT State Machine Replication"
// (EDCC'12), and Raft's pre-vote (Ongaro's thesis, 9.6).
// docs/decisions/nobody_leaves_a_view_alone.md has the reasons.

#include <algorithm>
#include <functional>

#include "consensus/pbft/replica.h"

namespace zap::pbft {

namespace {

constexpr int kHolds = 2;    ///< times round_timeout: a suspicion, after what raised it has passed
constexpr int kFresh = 4;    ///< times round_timeout: how long a peer's last status speaks for it
constexpr int kLeftOut = 5;  ///< times election_timeout, before one that cannot vote is heeded
constexpr int kHeedEvery = 30;  ///< times election_timeout, between two such favours for one peer

}  // namespace

/// The lowest view in which we want to vote: ours, or one above it.
View Replica::wanted_view() const {
  if (!may_change_view()) return view_;
  return std::max(wants_out_ ? view_ + 1 : view_, min_vote_view_);
}

View Replica::wanted_by(NodeId peer) const {
  const auto left = view_changes_.find(peer);
  View wanted = left == view_changes_.end() ? 0 : left->second.view;
  const auto found = peers_.find(peer);
  if (found != peers_.end() && is_fresh(found->second)) {
    wanted = std::max({wanted, found->second.status.view, found->second.status.wants});
  }
  return wanted;
}

bool Replica::is_fresh(const Peer& peer) const {
  return now_.instant < peer.said_at + kFresh * settings_.round_timeout;
}

/// OSDI'99, 4.4 and 4.5.2: a call waits for too long, or NEW-VIEW does; or we lead and cannot.
bool Replica::is_time_up() const {
  if (!active_) {
    return election_deadline_ && now_.instant >= *election_deadline_ &&
           !policy_.election_timer_never_fires;
  }
  return clock_stands_still_ || (gives_up_view_ && !policy_.leader_never_gives_up) ||
         (pace_.is_too_slow() && pool_.is_waiting(settings_.self) && !policy_.slow_leader_stays) ||
         pool_.any_oldest([this](NodeId origin, const Pool::Oldest& oldest) {
           if (policy_.timers_on_own_calls_only && origin != settings_.self) return false;
           if (policy_.timer_stops_at_prepare && oldest.proposed) return false;
           return oldest.counts &&
                  now_.instant >= std::max(oldest.since, timers_since_) + patience();
         });
}

void Replica::consider_leaving() {
  if (is_time_up()) suspects_until_ = now_.instant + kHolds * settings_.round_timeout;
  const bool wanted_out = wants_out_;
  wants_out_ = suspects() || others_want_out();
  if (wants_out_ && !wanted_out) send_status(others());

  std::vector<View> wanted{wanted_view()};
  for (const NodeId peer : others()) wanted.push_back(wanted_by(peer));
  std::sort(wanted.begin(), wanted.end(), std::greater<>());
  const View target = wanted[policy_.leaves_view_alone ? 0 : quorum() - 1];
  if (target <= view_) return;
  if (!active_ || !progressed_) ++failed_views_;
  start_view_change(target);
}

/// f + 1 who want a higher view include a correct one; and who leads is let go when it asks.
bool Replica::others_want_out() {
  if (policy_.no_join_on_weak_quorum) return false;
  std::size_t wanting = 0;
  bool leader_is = false;
  bool heeds = false;
  for (auto& [id, peer] : peers_) {
    if (wanted_by(id) <= view_) {
      peer.left_out_since.reset();
      continue;
    }
    ++wanting;
    leader_is |= id == leader();
    heeds |= is_heeded(peer);
  }
  return wanting >= settings_.membership.quorum().one_correct() || leader_is || heeds;
}

/// A replica that for long can vote only in a view above ours, for whatever reason, is one of f for
/// nothing. The view is changed for its sake, but for each peer not often: it may lie.
bool Replica::is_heeded(Peer& peer) const {
  if (!active_ || !is_fresh(peer) || policy_.left_out_stay_out) return false;
  if (!peer.left_out_since) peer.left_out_since = now_.instant;
  const bool again =
      peer.heeded_at && now_.instant < *peer.heeded_at + kHeedEvery * settings_.election_timeout;
  return (!again || policy_.heeds_without_end) &&
         now_.instant >= *peer.left_out_since + kLeftOut * settings_.election_timeout;
}

/// We leave the view: whoever was about to be heeded has had what it waited for.
void Replica::forget_suspicions() {
  suspects_until_.reset();
  wants_out_ = false;
  gives_up_view_ = false;
  pace_.end_view();
  for (auto& [id, peer] : peers_) {
    const bool helped =
        peer.left_out_since &&
        now_.instant >= *peer.left_out_since + kLeftOut * settings_.election_timeout / 2;
    if (helped) peer.heeded_at = now_.instant;
    peer.left_out_since.reset();
  }
}

}  // namespace zap::pbft
