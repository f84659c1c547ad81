// Entering a view: what NEW-VIEW must contain, making one, believing one (OSDI'99, 4.4).

#include <algorithm>
#include <map>
#include <utility>

#include "consensus/pbft/replica.h"

namespace zap::pbft {

NewViewPlan plan_new_view(const std::vector<ViewChange>& view_changes, const Policy& policy) {
  NewViewPlan plan;
  if (view_changes.empty()) return plan;
  const auto [lowest, highest] = std::minmax_element(
      view_changes.begin(), view_changes.end(),
      [](const ViewChange& a, const ViewChange& b) { return a.stable.seq < b.stable.seq; });
  plan.stable = (policy.new_view_takes_lowest_checkpoint ? lowest : highest)->stable;

  // Per slot the certificate of the highest view. Two certificates of one view agree, since any
  // two quorums share a correct replica.
  std::map<Seq, const Certificate*> chosen;
  for (const ViewChange& view_change : view_changes) {
    for (const Certificate& certificate : view_change.prepared) {
      if (certificate.seq <= plan.stable.seq) continue;
      const Certificate*& best = chosen[certificate.seq];
      const bool better =
          !best || (policy.new_view_takes_lowest_view ? certificate.view < best->view
                                                      : certificate.view > best->view);
      if (better) best = &certificate;
    }
  }
  if (chosen.empty()) return plan;

  for (Seq seq = plan.stable.seq + 1; seq <= chosen.rbegin()->first; ++seq) {
    const auto found = chosen.find(seq);
    if (found == chosen.end()) {
      if (policy.new_view_without_nulls) continue;
      plan.entries.push_back({seq, null_digest(), {}});
      continue;
    }
    NewViewPlan::Entry entry{seq, found->second->digest, {}};
    for (const Vote& vote : found->second->votes) entry.signers.push_back(vote.signer);
    plan.entries.push_back(std::move(entry));
  }
  return plan;
}

/// The leader of a view that q replicas changed to: once it holds every batch that it must propose
/// again, it says so.
void Replica::try_new_view() {
  if (active_ || !is_leader() || !may_vote()) return;
  const std::vector<const ViewChange*> current = view_changes_for_current();
  const auto own = view_changes_.find(settings_.self);
  if (current.size() < quorum() || own == view_changes_.end() || own->second.view != view_) return;

  NewView message{epoch_, view_, {own->second}, {}, {}};
  for (const ViewChange* view_change : current) {
    if (message.view_changes.size() == quorum()) break;
    if (view_change->sender != settings_.self) message.view_changes.push_back(*view_change);
  }
  const NewViewPlan plan = plan_new_view(message.view_changes, policy_);
  make_stable(plan.stable);

  bool complete = true;
  for (const NewViewPlan::Entry& entry : plan.entries) {
    message.reproposals.push_back({entry.seq, entry.digest, {}});
    if (entry.seq <= stable_.seq || entry.digest == null_digest()) continue;
    Slot* slot = slot_for(entry.seq);
    if (!slot) continue;
    slot->to_repropose = entry.digest;
    if (!slot->content(entry.digest)) {
      want(entry.seq, {Want::What::kBatch, entry.digest, entry.signers, now_.instant});
      complete = false;
    }
  }
  if (!complete) return;

  out_.write.push_back(message);
  enter_new_view(message, plan);
  vote(std::move(message));
}

void Replica::handle(NodeId from, const NewView& message) {
  if (from == settings_.self) {
    // Our own, durable and signed: its entries are our votes as the leader of this view.
    if (message.view != view_ || !active_) return;
    new_view_ = message;
    for (const Reproposal& entry : message.reproposals) {
      note_prepare(entry.seq, from, {message.view, entry.digest, entry.signature});
    }
    return;
  }
  if (message.view < view_ || (message.view == view_ && active_)) return;

  const NewViewPlan plan = plan_new_view(message.view_changes, policy_);
  const bool same = std::equal(plan.entries.begin(), plan.entries.end(),
                               message.reproposals.begin(), message.reproposals.end(),
                               [](const NewViewPlan::Entry& ours, const Reproposal& theirs) {
                                 return ours.seq == theirs.seq && ours.digest == theirs.digest;
                               });
  if (!same && !policy_.new_view_unchecked) {
    accuse(leader_of(message.view), "proposed in NEW-VIEW what its VIEW-CHANGEs do not say", 0,
           {message});
    return;
  }
  out_.write.push_back(message);
  enter_new_view(message, plan);
}

void Replica::enter_new_view(const NewView& message, const NewViewPlan& plan) {
  view_ = message.view;
  active_ = true;
  new_view_.reset();
  // Shown to others once it is durable: the leader's own comes back through step().
  if (leader_of(view_) != settings_.self) new_view_ = message;
  election_deadline_.reset();
  timers_since_ = now_.instant;
  slow_clock_since_.reset();
  clock_stands_still_ = false;
  progressed_ = false;
  forget_suspicions();
  std::erase_if(view_changes_, [this](const auto& entry) { return entry.second.view <= view_; });
  pool_.mark_all_unproposed();
  pool_.unpin_all();
  make_stable(plan.stable);

  next_accept_ = std::max(plan.stable.seq, stable_.seq) + 1;
  next_propose_ = next_accept_;
  const NodeId leader = leader_of(view_);
  for (const Reproposal& entry : message.reproposals) {
    Slot* slot = slot_for(entry.seq);
    if (!slot || entry.seq <= stable_.seq) continue;
    slot->proposal = Proposal{view_, entry.digest, entry.signature, std::nullopt};
    next_propose_ = std::max(next_propose_, entry.seq + 1);
    if (leader != settings_.self) {
      note_prepare(entry.seq, leader, {view_, entry.digest, entry.signature});
    }
  }
  notice(Notice::Kind::kNewView, {}, 0, leader);
  send_status(others());  // what we wanted of the view before no longer holds
  if (awaits_view_ && may_vote()) rejoin();
  accept_ready();
}

}  // namespace zap::pbft
