// Keeping up: the status exchange, and fetching what a replica lacks.
//
// Messages may be lost anywhere. Every round_timeout, and whenever a link comes up, each replica
// says where it stands, and whoever is ahead sends what is missing, its own votes included.

#include <algorithm>
#include <utility>

#include "consensus/pbft/replica.h"

namespace zap::pbft {

namespace {

constexpr std::size_t kSlotsPerHelp = 64;     ///< whose votes one status makes us repeat
constexpr std::size_t kBatchesPerFetch = 32;  ///< asked for in one message
constexpr std::size_t kCallsPerForward = 64;  ///< of each origin, at a time
constexpr int kGrantEvery = 20;               ///< times round_timeout, to each peer

/// What a batch takes in a message, about.
std::size_t bytes_of(const BatchContent& content) {
  std::size_t bytes = 0;
  for (const CallPtr& call : content.calls) {
    bytes += call->operation.payload.size() + sizeof(Call) + sizeof(Digest);
  }
  return bytes;
}

}  // namespace

Seq Replica::highest_prepared() const {
  const auto newest = std::find_if(slots_.rbegin(), slots_.rend(),
                                   [](const auto& entry) { return entry.second.prepared; });
  return newest == slots_.rend() ? 0 : newest->first;
}

void Replica::send_status(std::vector<NodeId> to) {
  Status status;
  status.epoch = epoch_;
  status.view = view_;
  status.active = active_;
  status.stable = stable_.seq;
  status.prepared = highest_prepared();
  status.decided = ledger_.last_seq();
  status.checkpoint = highest_checkpoint();
  status.incarnation = incarnation_;
  status.returning = !cleared_;
  status.horizon = amnesia_ ? amnesia_->horizon : 0;
  status.wants = wanted_view();
  out_.at_once.push_back({std::move(to), status});
}

void Replica::handle(NodeId from, const Status& message) {
  if (from == settings_.self) return;
  Peer& peer = peers_[from];
  peer.status = message;
  peer.said_at = now_.instant;
  if (message.returning) answer_returning(from, message.incarnation);
  help(from, message);
}

/// f + 1 others have executed more than we have, so a correct one has.
bool Replica::is_behind() const {
  std::size_t ahead = 0;
  for (const auto& [id, peer] : peers_) ahead += peer.status.decided > ledger_.last_seq();
  return ahead >= settings_.membership.quorum().one_correct();
}

/// Status is cheap to say and help is not: a peer is helped again when it got further, or after a
/// while.
void Replica::help(NodeId peer, const Status& status) {
  Helped& helped = helped_[peer];
  const bool again = now_.instant < helped.at + settings_.round_timeout / 4;
  if (!again || status.decided > helped.decided) help_with_decided(peer, status);
  helped.decided = status.decided;
  if (again) return;
  helped.at = now_.instant;

  // A replica that lost part of its log waits for a checkpoint that an idle cluster never takes.
  const bool asks = status.horizon > stable_.seq && status.horizon <= stable_.seq + 2 * kWindow;
  if (asks && now_.instant >= helped.grant_at) {
    helped.grant_at = now_.instant + kGrantEvery * settings_.round_timeout;
    granted_horizon_ = std::max(granted_horizon_, status.horizon);
  }
  if (status.stable < stable_.seq) send(peer, stable_);
  if (may_vote() && !policy_.help_without_own_votes) {
    for (const auto& [seq, digest] : own_checkpoints_) {
      out_.after_write.push_back({{peer}, Checkpoint{epoch_, seq, digest, {}}});
    }
  }
  help_with_view(peer, status);
  if (status.view == view_ && status.active && active_) repeat_votes(peer, status);
}

void Replica::help_with_decided(NodeId peer, const Status& status) {
  const Seq last = std::min(ledger_.last_seq(), status.decided + kWindow);
  if (status.decided >= last) return;
  // What is below our stable checkpoint is in the log alone.
  const Seq in_log = std::min(last, std::min(stable_.seq, ledger_.last_seq()));
  if (status.decided < in_log) {
    out_.serve.push_back({peer, status.decided + 1, in_log, Serve::What::kDigests});
  }
  DecidedDigests words{std::max(status.decided, in_log) + 1, {}};
  for (Seq seq = words.first; seq <= last; ++seq) {
    words.digests.push_back(*slots_.at(seq).decided);
  }
  if (!words.digests.empty()) send(peer, std::move(words));
}

void Replica::help_with_view(NodeId peer, const Status& status) {
  if (policy_.view_changes_said_once) return;
  const bool needs_new_view = status.view < view_ || (status.view == view_ && !status.active);
  if (active_) {
    if (needs_new_view && new_view_) send(peer, *new_view_);
    return;
  }
  const auto own = view_changes_.find(settings_.self);
  if (status.view <= view_ && own != view_changes_.end() && own->second.view == view_) {
    send(peer, own->second);
  }
}

/// Sends our votes of this view again for the slots that the peer has not decided.
void Replica::repeat_votes(NodeId peer, const Status& status) {
  if (!may_vote() || policy_.help_without_own_votes) return;
  const Seq first = std::max(status.decided, stable_.seq) + 1;
  std::size_t repeated = 0;
  for (auto slot = slots_.lower_bound(first); slot != slots_.end() && repeated < kSlotsPerHelp;
       ++slot, ++repeated) {
    repeat_own_votes(slot->first, slot->second, {peer});
  }
}

void Replica::handle(NodeId from, const DecidedDigests& message) {
  if (from == settings_.self) return;
  const Seq executed = ledger_.last_seq();
  for (std::size_t i = 0; i < message.digests.size() && i < kWindow; ++i) {
    const Seq seq = message.first + i;
    if (seq <= executed) continue;
    Slot* slot = slot_for(seq);
    if (!slot) return;
    slot->words[from] = message.digests[i];
    check_committed(*slot);
    if (slot->decided && !slot->content(*slot->decided)) want_decided(seq, *slot);
  }
}

void Replica::handle(NodeId from, const FetchBatches& message) {
  Batches answer;
  std::size_t bytes = 0;
  std::size_t looked_at = 0;
  for (const FetchBatches::Wanted& wanted : message.wanted) {
    if (++looked_at > kBatchesPerFetch || bytes > kBatchBytes) break;
    const auto slot = slots_.find(wanted.seq);
    const BatchContent* content =
        slot == slots_.end() ? nullptr : slot->second.content(wanted.digest);
    if (content) {
      answer.contents.push_back(*content);
      bytes += bytes_of(*content);
    } else if (wanted.seq <= std::min(stable_.seq, ledger_.last_seq())) {
      const bool extends = !out_.serve.empty() && out_.serve.back().to == from &&
                           out_.serve.back().last + 1 == wanted.seq;
      if (extends) {
        out_.serve.back().last = wanted.seq;
      } else {
        out_.serve.push_back({from, wanted.seq, wanted.seq, Serve::What::kContents});
      }
    }
  }
  if (!answer.contents.empty()) send(from, std::move(answer));
}

void Replica::handle(NodeId from, const Batches& message) {
  for (const BatchContent& content : message.contents) {
    const auto wanted = wants_.find(content.seq);
    const auto slot = slots_.find(content.seq);
    if (wanted == wants_.end() || slot == slots_.end()) continue;
    if (wanted->second.what != Want::What::kBatch) continue;
    // Where it does not fit, another peer is asked at once.
    if (wanted->second.asked == from) wanted->second.next_try = now_.instant;
    if (digest_of(content.batch) != wanted->second.digest) continue;
    const bool complete = std::equal(
        content.calls.begin(), content.calls.end(), content.batch.calls.begin(),
        content.batch.calls.end(),
        [](const CallPtr& call, const Digest& digest) { return call->digest == digest; });
    if (!complete) continue;
    keep_content(slot->second, content);
    wants_.erase(wanted);
  }
  const Seq before = ledger_.last_seq();
  execute_ready();
  try_new_view();
  // Far behind: do not wait for the next status round to be told more.
  if (ledger_.last_seq() > before && wants_.empty() && is_behind()) send_status(others());
}

void Replica::handle(NodeId from, const FetchCalls& message) {
  for (Bundle& bundle : pool_.bundles_of(message.digests, kBatchBytes)) {
    send(from, std::move(bundle));
  }
  const bool lacking = std::any_of(message.digests.begin(), message.digests.end(),
                                   [this](const Digest& digest) { return !pool_.find(digest); });
  if (lacking && may_be_unprovable()) gives_up_view_ = true;
}

/// The next slot to be decided is one that we, the leader, proposed before a restart: the log has
/// its calls, but their origins' proofs were in memory alone. Where nobody else has them, nobody
/// can ever accept it.
bool Replica::may_be_unprovable() const {
  const auto slot = slots_.find(ledger_.last_seq() + 1);
  return active_ && is_leader() && slot != slots_.end() && slot->first <= restored_proposed_ &&
         slot->second.accepted && slot->second.accepted->view == view_ && !slot->second.prepared;
}

void Replica::want(Seq seq, Want wanted) {
  // Bundles and pre-prepares race each other: a call that is lacking is mostly on its way.
  if (wanted.what == Want::What::kCalls) wanted.next_try += settings_.round_timeout / 50;
  const auto [entry, first] = wants_.try_emplace(seq, wanted);
  if (first) return;
  Want& known = entry->second;
  if (known.digest != wanted.digest) {
    known = std::move(wanted);
  } else if (wanted.what == Want::What::kBatch) {
    if (known.what != wanted.what) known.next_try = wanted.next_try;
    known.what = wanted.what;  // proved by now: any copy of the whole batch will do
    known.holders = std::move(wanted.holders);
  }
}

/// A slot that is proved to be decided, whose batch is not here: those who said so have it.
void Replica::want_decided(Seq seq, const Slot& slot) {
  std::vector<NodeId> holders;
  for (const auto& [node, vote] : slot.commits) {
    if (node != settings_.self && vote.digest == *slot.decided) holders.push_back(node);
  }
  for (const auto& [node, told] : slot.words) {
    if (told == *slot.decided && !slot.commits.contains(node)) holders.push_back(node);
  }
  want(seq, {Want::What::kBatch, *slot.decided, std::move(holders), now_.instant});
}

void Replica::fetch_missing() {
  if (wants_.empty()) return;
  std::map<NodeId, FetchBatches> batches;
  for (auto entry = wants_.begin(); entry != wants_.end();) {
    auto& [seq, wanted] = *entry;
    const auto found = slots_.find(seq);
    const Slot* slot = found == slots_.end() ? nullptr : &found->second;
    const bool for_proposal = active_ && slot && slot->proposal && slot->proposal->batch &&
                              slot->proposal->view == view_ &&
                              slot->proposal->digest == wanted.digest;
    if (!slot || slot->content(wanted.digest) ||
        (wanted.what == Want::What::kCalls && !for_proposal)) {
      entry = wants_.erase(entry);
      continue;
    }
    ++entry;
    if (now_.instant < wanted.next_try) continue;

    // The likely holders first, then everyone in turn; neighbouring slots of the same peer.
    std::vector<NodeId> candidates = wanted.holders;
    candidates.insert(candidates.end(), others().begin(), others().end());
    std::erase(candidates, settings_.self);
    const std::size_t turn = seq / kBatchesPerFetch + wanted.tries;
    const NodeId target = wanted.tries < wanted.holders.size()
                              ? candidates[turn % wanted.holders.size()]
                              : candidates[turn % candidates.size()];
    if (wanted.what == Want::What::kBatch && batches[target].wanted.size() >= kBatchesPerFetch) {
      continue;
    }
    ++wanted.tries;
    wanted.asked = target;
    wanted.next_try = now_.instant + settings_.round_timeout / 10;
    if (wanted.what == Want::What::kCalls) {
      FetchCalls lacking;
      for (const Digest& digest : slot->proposal->batch->calls) {
        if (!pool_.find(digest)) lacking.digests.push_back(digest);
      }
      send(target, std::move(lacking));
    } else {
      batches[target].wanted.push_back({seq, wanted.digest});
    }
  }
  for (auto& [target, message] : batches) {
    if (!message.wanted.empty()) send(target, std::move(message));
  }
}

/// Calls that no proposal names for half of the time-out: the leader may lack them, so it gets
/// them before our timers count against it. Our own go to everyone again.
void Replica::forward_overdue() {
  if (!active_ || now_.instant < next_forward_) return;
  next_forward_ = now_.instant + settings_.round_timeout / 20;
  const Instant before = now_.instant - settings_.round_timeout / 2;
  for (Bundle& bundle :
       pool_.bundles_of(pool_.take_overdue(before, kCallsPerForward), kBatchBytes)) {
    if (bundle.proof->origin == settings_.self) {
      out_.at_once.push_back({others(), std::move(bundle)});
    } else if (!is_leader()) {
      send(leader(), std::move(bundle));
    }
  }
}

/// All that wait, as far as one message carries them.
void Replica::send_own_calls(const std::vector<NodeId>& to) {
  for (Bundle& bundle :
       pool_.bundles_of(pool_.waiting_of(settings_.self, kClientWindow), kBatchBytes)) {
    out_.at_once.push_back({to, std::move(bundle)});
  }
}

}  // namespace zap::pbft
