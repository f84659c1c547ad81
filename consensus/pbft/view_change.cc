// Leaving a view: OSDI'99, 4.4 and 4.5.2 (liveness).

#include <algorithm>
#include <functional>
#include <utility>

#include "consensus/pbft/replica.h"
#include "core/check.h"

namespace zap::pbft {

namespace {

constexpr std::uint32_t kMostDoublings = 6;  ///< of a time-out, whatever number of views failed

}  // namespace

/// From here on no vote leaves for any view below `view`. The record of it is durable before the
/// VIEW-CHANGE is sent: a restart comes back to `view`, inactive.
void Replica::start_view_change(View view) {
  // After amnesia: what we said of views up to this one, others may hold.
  if (min_vote_view_ > 0) view = std::max(view, min_vote_view_ + 1);
  ZAP_CHECK(view > view_, "view change from " << view_ << " to " << view);
  view_ = view;
  active_ = false;
  new_view_.reset();
  election_deadline_.reset();
  batch_since_.reset();
  slow_clock_since_.reset();
  clock_stands_still_ = false;
  progressed_ = false;
  forget_suspicions();

  ViewChange message{settings_.self, epoch_, view_, stable_, {}, {}};
  for (const auto& [seq, slot] : slots_) {
    if (in_window(seq) && slot.prepared) message.prepared.push_back(*slot.prepared);
  }
  out_.write.push_back(message);
  vote(std::move(message));
  notice(Notice::Kind::kViewChange, {}, 0, leader());
}

void Replica::handle(NodeId, const ViewChange& message) {
  remember_signed(message.sender, message);
  if (message.view < view_ || (message.view == view_ && active_)) return;
  const auto [entry, first] = view_changes_.try_emplace(message.sender, message);
  if (!first) {
    if (entry->second.view == message.view && entry->second.signature != message.signature) {
      accuse(message.sender, "changed to one view with two stories", 0, {entry->second, message});
    }
    if (entry->second.view >= message.view && message.sender != settings_.self) return;
    entry->second = message;
  }
  join_view_change();
  if (active_ || message.view < view_) return;

  // Who already wants a view above counts too: it may have left this one for good, and without
  // the time-out the rest would wait here for its VIEW-CHANGE for ever.
  const auto left = std::count_if(view_changes_.begin(), view_changes_.end(),
                                  [this](const auto& other) { return other.second.view >= view_; });
  if (!election_deadline_ && left >= static_cast<std::ptrdiff_t>(quorum())) {
    const std::uint32_t factor = 1U << std::min(failed_views_, kMostDoublings);
    election_deadline_ = now_.instant + settings_.election_timeout * factor;
  }
  try_new_view();
}

/// f + 1 replicas that want a higher view include a correct one: go along, to the highest view
/// that so many want.
void Replica::join_view_change() {
  if (!may_change_view() || policy_.no_join_on_weak_quorum) return;
  std::vector<View> wanted;
  for (const auto& [sender, message] : view_changes_) {
    if (sender != settings_.self && message.view > view_) wanted.push_back(message.view);
  }
  const std::uint32_t enough = settings_.membership.quorum().one_correct();
  if (wanted.size() < enough) return;
  std::sort(wanted.begin(), wanted.end(), std::greater<>());
  start_view_change(wanted[enough - 1]);
}

std::vector<const ViewChange*> Replica::view_changes_for_current() const {
  std::vector<const ViewChange*> current;
  for (const auto& [sender, message] : view_changes_) {
    if (message.view == view_) current.push_back(&message);
  }
  return current;
}

/// A call is given round_timeout; twice as long for each view before this one that failed, so that
/// a slow network ends up with a view that works.
Duration Replica::patience() const {
  return settings_.round_timeout * (1U << std::min(failed_views_, kMostDoublings));
}

void Replica::progress_in_view() {
  progressed_ = true;
  failed_views_ = 0;
}

}  // namespace zap::pbft
