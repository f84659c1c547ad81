// The door of a replica: inputs to their handlers, timers, and what the driver is told to wait for.

#include <algorithm>
#include <limits>
#include <utility>

#include "consensus/pbft/replica.h"

namespace zap::pbft {

namespace {

/// Whatever is due and cannot be done yet is looked at again after this.
constexpr Duration kShortestSleep = std::chrono::milliseconds(1);

}  // namespace

std::unique_ptr<Engine> make_replica(Settings settings, Restored restored, Policy policy) {
  return std::make_unique<Replica>(std::move(settings), std::move(restored), policy);
}

Replica::Replica(Settings settings, Restored restored, Policy policy)
    : settings_(std::move(settings)),
      policy_(policy),
      epoch_(settings_.membership.epoch),
      view_(restored.view),
      active_(restored.active),
      pool_(settings_.self, policy_.pool_unbounded ? std::numeric_limits<std::size_t>::max()
                                                   : settings_.pool_bytes),
      ledger_(std::move(restored.ledger)),
      stable_(std::move(restored.stable)),
      new_view_(std::move(restored.new_view)),
      pace_(settings_.round_timeout, settings_.election_timeout,
            settings_.membership.quorum().one_correct()),
      incarnation_(restored.incarnation),
      restored_view_(restored.view),
      restored_stable_(stable_.seq),
      restored_last_(ledger_.last_seq()) {
  for (const Member& member : settings_.membership.members) {
    everyone_.push_back(member.id);
    if (member.id != settings_.self) others_.push_back(member.id);
  }
  ledger_.set_rules(policy_.rules());
  if (!restored.founded) {
    ledger_.set_key_limits(settings_.keys);
    out_.write.push_back(Founding{settings_.keys});
  }

  for (const auto& [seq, digest] : restored.decided) {
    slots_[seq].decided = digest;
    slots_[seq].executed = true;
  }
  for (const auto& [seq, mark] : restored.accepted) {
    slots_[seq].accepted = mark;
    slots_[seq].in_log = true;
    restored_accepted_[seq] = mark.view;
  }
  for (auto& [seq, certificate] : restored.prepared) slots_[seq].prepared = std::move(certificate);
  for (auto& [seq, contents] : restored.contents) {
    for (auto& [digest, content] : contents) keep_content(slots_[seq], std::move(content));
  }
  const Digest membership = settings_.membership.digest();
  for (const auto& [seq, ledger] : restored.checkpoints) {
    own_checkpoints_[seq] = checkpoint_digest(ledger, epoch_, membership);
  }
  unsaid_view_change_ = std::move(restored.view_change);
  if (new_view_ && active_) {
    for (const Reproposal& entry : new_view_->reproposals) {
      if (entry.seq > stable_.seq) {
        slots_[entry.seq].proposal = Proposal{view_, entry.digest, entry.signature, std::nullopt};
      }
    }
  }
  remember_logged_votes(restored);
  if (restored.lost_vote) {
    amnesia_ = Amnesia{.min_view = restored.lost_vote->view};
  }

  // Pre-prepares are accepted in slot order, but for slots that were decided without us.
  next_accept_ = stable_.seq + 1;
  for (auto slot = slots_.find(next_accept_); slot != slots_.end();
       slot = slots_.find(next_accept_)) {
    const bool accepted = slot->second.accepted && slot->second.accepted->view == view_;
    if (!accepted && !slot->second.executed) break;
    ++next_accept_;
  }
  next_propose_ = next_accept_;
  restored_proposed_ = next_accept_ - 1;
  if (new_view_ && active_ && !new_view_->reproposals.empty()) {
    next_propose_ = std::max(next_propose_, new_view_->reproposals.back().seq + 1);
  }
}

Outputs Replica::step(const Now& now, const Input& input) {
  // After a pause of the whole process every timer would fire at once, at innocents.
  if (now.instant - last_step_ > 2 * settings_.round_timeout) {
    timers_since_ = now.instant;
    slow_clock_since_.reset();
    if (election_deadline_) election_deadline_ = now.instant + settings_.election_timeout;
  }
  measure_pace(now);
  now_ = now;
  last_step_ = now.instant;
  if (backlog_.full && !policy_.timers_run_with_full_backlog) timers_since_ = now.instant;

  std::visit([this](const auto& alternative) { on(alternative); }, input);
  settle();
  run_timers();
  if (is_leader() && active_) propose();
  out_.wake_at = next_wake();
  return std::exchange(out_, {});
}

/// Time since the last step counts where our calls wait for the leader, and for it alone.
void Replica::measure_pace(const Now& now) {
  const Duration passed = now.instant - last_step_;
  const bool counts = active_ && !is_leader() && !settings_.fixed_leader && !backlog_.full &&
                      passed <= 2 * settings_.round_timeout && pool_.is_waiting(settings_.self);
  if (counts) pace_.waited(passed);
}

/// What an input made possible, in slot order.
void Replica::settle() {
  check_recovered();
  execute_ready();
  accept_ready();
  execute_ready();
}

void Replica::on(const Tick&) {}

void Replica::on(const Receive& receive) {
  std::visit([&](const auto& message) { handle(receive.from, message); }, *receive.message);
}

void Replica::on(const Connected& connected) {
  helped_.erase(connected.peer);
  send_status({connected.peer});
  send_own_calls({connected.peer});
}

void Replica::on(const Backlog& backlog) { backlog_ = backlog; }

void Replica::run_timers() {
  if (now_.instant >= status_at_) {
    send_status(others());
    // Who left its view alone waits here for the others, who may lack the very calls that it
    // missed.
    if (!active_) send_own_calls(others());
    status_at_ = now_.instant + settings_.round_timeout;
  }
  fetch_missing();
  forward_overdue();
  if (may_change_view()) consider_leaving();
}

Instant Replica::next_wake() const {
  Instant wake = status_at_;
  const auto consider = [&](Instant when) { wake = std::min(wake, when); };
  if (batch_since_ && in_window(next_propose_)) consider(*batch_since_ + settings_.batch_timeout);
  for (const auto& [seq, want] : wants_) consider(want.next_try);
  if (suspects()) {
    consider(*suspects_until_);
  } else if (may_change_view() && !active_ && election_deadline_) {
    consider(*election_deadline_);
  }
  if (may_change_view() && active_) {
    pool_.any_oldest([&](NodeId, const Pool::Oldest& oldest) {
      if (oldest.counts) {
        if (!suspects()) consider(std::max(oldest.since, timers_since_) + patience());
      } else {
        consider(std::max(oldest.since + settings_.round_timeout / 2, next_forward_));
      }
      return false;
    });
  }
  return std::max(wake, now_.instant + kShortestSleep);
}

NodeId Replica::leader_of(View view) const {
  return Leadership{&settings_.membership, settings_.fixed_leader}.leader_of(view);
}

std::uint32_t Replica::quorum() const {
  const Quorum quorum = settings_.membership.quorum();
  const std::uint32_t size =
      policy_.literal_two_f_plus_one ? 2 * quorum.faulty() + 1 : quorum.size();
  return size - policy_.quorum_less;
}

void Replica::notice(Notice::Kind kind, std::string text, Seq seq, NodeId node) {
  out_.notices.push_back({kind, view_, seq, node, std::move(text)});
}

EngineState Replica::state() const {
  EngineState state;
  if (!cleared_) {
    state.phase = EngineState::Phase::kStarting;
  } else if (amnesia_ || is_behind()) {
    state.phase = EngineState::Phase::kCatchingUp;
  } else {
    // Also where only a view above would let us vote again.
    const bool votes = active_ && may_vote();
    state.phase = votes ? EngineState::Phase::kNormal : EngineState::Phase::kViewChange;
  }
  state.view = view_;
  if (active_) state.leader = leader();
  state.prepared = highest_prepared();
  state.decided = ledger_.last_seq();
  state.stable = stable_.seq;
  state.commit_index = ledger_.last_index();
  state.last_timestamp = ledger_.last_timestamp();
  state.epoch = epoch_;
  return state;
}

}  // namespace zap::pbft
