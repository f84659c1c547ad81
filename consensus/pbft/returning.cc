// After a start: no vote before q - 1 others have spoken, and none that contradicts what we said
// in an earlier life.
//
// A log may have lost its end (a lying disk, a power cut without syncs). Such amnesia shows in
// two ways: the mark beside the log is ahead of it, or a peer holds a message with our signature
// that the log lacks. Then we follow without voting until a stable checkpoint lies so far ahead
// that no vote we may have forgotten can matter: 256 slots, the window, above the highest
// checkpoint that q - 1 others know of.

#include <algorithm>
#include <utility>

#include "consensus/pbft/replica.h"

namespace zap::pbft {

Seq Replica::highest_checkpoint() const {
  return std::max(stable_.seq,
                  own_checkpoints_.empty() ? Seq{0} : own_checkpoints_.rbegin()->first);
}

/// Keeps each member's newest signed messages, past garbage collection: should it lose its log,
/// they tell it so.
void Replica::remember_signed(NodeId signer, const Message& message) {
  if (signer == settings_.self) return;
  Shown& newest = newest_signed_[signer];
  const auto keep = [](auto& known, const auto& candidate, auto place) {
    if (known.empty()) {
      known.push_back(candidate);
    } else if (place(known.front()) < place(candidate)) {
      known.front() = candidate;
    }
  };
  const auto slot = [](const auto& m) { return std::pair(m.view, m.seq); };
  if (const auto* pre_prepare = std::get_if<PrePrepare>(&message)) {
    keep(newest.pre_prepares, *pre_prepare, slot);
  } else if (const auto* prepare = std::get_if<Prepare>(&message)) {
    keep(newest.prepares, *prepare, slot);
  } else if (const auto* checkpoint = std::get_if<Checkpoint>(&message)) {
    keep(newest.checkpoints, *checkpoint, [](const Checkpoint& m) { return m.seq; });
  } else if (const auto* view_change = std::get_if<ViewChange>(&message)) {
    keep(newest.view_changes, *view_change, [](const ViewChange& m) { return m.view; });
  }
}

/// The same of what our own log holds of them: their newest votes outlive our restart too.
void Replica::remember_logged_votes(const Restored& restored) {
  for (const auto& [view, said] : restored.signed_in) {
    const NodeId leader = leader_of(view);
    if (said.proposal) remember_signed(leader, *said.proposal);
    for (const auto& [signer, prepare] : said.prepares) {
      if (signer != leader) remember_signed(signer, prepare);  // a leader's vote is its proposal
    }
  }
  for (const auto& [sender, message] : restored.view_changes) remember_signed(sender, message);
  for (const Vote& vote : stable_.votes) {
    remember_signed(vote.signer, Checkpoint{epoch_, stable_.seq, stable_.digest, vote.signature});
  }
}

void Replica::answer_returning(NodeId peer, Incarnation incarnation) {
  Shown shown = newest_signed_[peer];
  shown.answers = incarnation;
  shown.stable = stable_;
  send(peer, std::move(shown));
}

void Replica::handle(NodeId from, const Shown& message) {
  if (message.answers != incarnation_ || cleared_) return;
  const auto compare = [&](const auto& shown, const char* what) {
    for (const auto& mine : shown) {
      if (!log_holds(mine)) suffer_amnesia(mine.view, what);
    }
  };
  compare(message.pre_prepares, "a pre-prepare of ours");
  compare(message.prepares, "a prepare of ours");
  compare(message.view_changes, "a VIEW-CHANGE of ours");
  for (const Checkpoint& checkpoint : message.checkpoints) {
    if (!log_holds(checkpoint)) suffer_amnesia(0, "a checkpoint of ours");
  }
  heard_[from] = message.stable.seq;
  check_cleared();
}

/// The log is written first in, first out: what is older than something it holds, it held.
bool Replica::log_holds(View view, Seq seq) const {
  if (view != restored_view_) return view < restored_view_;
  if (seq <= restored_stable_) return true;
  const auto accepted = restored_accepted_.find(seq);
  return accepted != restored_accepted_.end() && accepted->second == view;
}

void Replica::suffer_amnesia(View view, const std::string& because) {
  const bool known = amnesia_ && amnesia_->min_view >= view;
  if (!amnesia_) amnesia_ = Amnesia{};
  amnesia_->min_view = std::max(amnesia_->min_view, view);
  if (!known) {
    notice(Notice::Kind::kAmnesia, "a peer holds " + because + " that our log lacks");
    out_.notices.back().view = amnesia_->min_view;
  }
}

void Replica::check_cleared() {
  const std::uint32_t enough =
      policy_.vote_before_others_spoke ? 2 : settings_.membership.quorum().size();
  if (cleared_ || heard_.size() + 1 < enough) return;
  cleared_ = true;
  if (amnesia_) {
    Seq highest = stable_.seq;
    for (const auto& [peer, checkpoint] : heard_) highest = std::max(highest, checkpoint);
    // A replica may have signed one window above what is proved to be stable, and that checkpoint
    // too may be one that others have yet to prove.
    amnesia_->horizon = highest + (policy_.amnesia_without_window ? 0 : 2 * kWindow);
    notice(Notice::Kind::kAmnesia,
           "no vote before checkpoint " + std::to_string(amnesia_->horizon) + " is stable",
           amnesia_->horizon);
    out_.notices.back().view = amnesia_->min_view;
    send_status(others());
    return;
  }
  rejoin();
}

void Replica::check_recovered() {
  if (!cleared_ || !amnesia_ || stable_.seq < amnesia_->horizon) return;
  min_vote_view_ = amnesia_->min_view;
  amnesia_.reset();
  rejoin();
}

/// We may vote: what we said before the restart is said again, then what waits is looked at.
void Replica::rejoin() {
  timers_since_ = now_.instant;
  awaits_view_ = !may_vote();
  if (awaits_view_) return;
  notice(Notice::Kind::kReturned);
  if (!active_ && unsaid_view_change_ && unsaid_view_change_->view == view_) {
    vote(*unsaid_view_change_);
  }
  unsaid_view_change_.reset();
  for (auto& [seq, slot] : slots_) {
    if (in_window(seq)) repeat_own_votes(seq, slot, everyone());
  }
  const auto own = own_checkpoints_.rbegin();
  if (own != own_checkpoints_.rend()) vote(Checkpoint{epoch_, own->first, own->second, {}});
  if (active_ && is_leader() && new_view_) vote(*new_view_);
  join_view_change();
}

/// Our votes of this view for one slot. They are durable: a vote in memory came out of the log.
void Replica::repeat_own_votes(Seq seq, Slot& slot, const std::vector<NodeId>& to) {
  if (!active_ || !slot.accepted || slot.accepted->view != view_) return;
  const Digest& digest = slot.accepted->digest;
  if (!is_leader()) {
    out_.after_write.push_back({to, Prepare{epoch_, view_, seq, digest, {}}});
  } else if (const BatchContent* content = slot.content(digest)) {
    out_.after_write.push_back({to, PrePrepare{epoch_, view_, seq, digest, content->batch, {}}});
  }
  if (slot.prepared && slot.prepared->view == view_) {
    out_.after_write.push_back({to, Commit{epoch_, view_, seq, digest}});
  }
}

}  // namespace zap::pbft
