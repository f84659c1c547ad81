#include "proxy/clients/calls.h"

#include <algorithm>
#include <utility>

namespace zap {

Calls::Calls(NodeId self, Incarnation incarnation, Quorum quorum, config::Replies rule, Ended ended)
    : self_(self),
      incarnation_(incarnation),
      quorum_(quorum),
      rule_(rule),
      ended_(std::move(ended)) {}

OperationId Calls::take(WaitingCall call) {
  const std::uint64_t number = first_ + entries_.size();
  deadlines_.push({call.deadline, number});
  entries_.push_back({.call = std::move(call)});
  ++waiting_;
  return {self_, incarnation_, number};
}

void Calls::decided(const DecidedCall& decided, View view, Instant now) {
  const OperationId& id = decided.call->operation.id;
  Entry* entry = find(id);
  if (!entry || entry->decided || decided.outcome == Outcome::kDuplicate) return;
  entry->decided = true;
  entry->decided_at = now;
  entry->index = decided.index;
  entry->view = view;
  if (decided.outcome != Outcome::kApplied) end(*entry, id, CallEnd::Kind::kNotExecuted, now);
}

void Calls::local_reply(const OperationId& id, const Reply* reply, Instant now) {
  Entry* entry = find(id);
  if (!entry || !entry->waiting) return;
  entry->local_at = now;
  if (!reply) return end(*entry, id, CallEnd::Kind::kLost, now);
  entry->answered_locally = true;
  entry->local = *reply;
  vote(*entry, id, self_, reply->compared, now);
}

void Calls::peer_reply(NodeId from, const OperationId& id, const Digest& compared, Instant now) {
  if (rule_ == config::Replies::kLocal) return;
  if (Entry* entry = find(id); entry && entry->waiting) vote(*entry, id, from, compared, now);
}

void Calls::vote(Entry& entry, const OperationId& id, NodeId node, const Digest& compared,
                 Instant now) {
  const bool voted = std::any_of(entry.votes.begin(), entry.votes.end(),
                                 [&](const Vote& vote) { return vote.node == node; });
  if (voted) return;
  entry.votes.push_back({node, compared});
  settle(entry, id, now);
}

void Calls::settle(Entry& entry, const OperationId& id, Instant now) {
  if (!entry.answered_locally) return;
  if (rule_ == config::Replies::kLocal) return end(entry, id, CallEnd::Kind::kAnswered, now);

  const auto count = [&](const Digest& value) {
    return static_cast<std::uint32_t>(
        std::count_if(entry.votes.begin(), entry.votes.end(),
                      [&](const Vote& vote) { return vote.compared == value; }));
  };
  const std::uint32_t enough = quorum_.one_correct();
  const std::uint32_t equal = count(entry.local.compared);
  if (equal >= enough) return end(entry, id, CallEnd::Kind::kAnswered, now);

  const auto silent = quorum_.n - static_cast<std::uint32_t>(entry.votes.size());
  const bool others_agreed = std::any_of(entry.votes.begin(), entry.votes.end(), [&](auto& vote) {
    return count(vote.compared) >= enough;
  });
  if (others_agreed || equal + silent < enough) end(entry, id, CallEnd::Kind::kDiffer, now);
}

void Calls::expire(Instant now) {
  while (!deadlines_.empty() && deadlines_.top().at <= now) {
    const OperationId id{self_, incarnation_, deadlines_.top().number};
    deadlines_.pop();
    if (Entry* entry = find(id)) end(*entry, id, CallEnd::Kind::kTimedOut, now);
  }
  while (!entries_.empty() && !entries_.front().waiting) {
    entries_.pop_front();
    ++first_;
  }
}

void Calls::end(Entry& entry, const OperationId& id, CallEnd::Kind kind, Instant now) {
  if (!entry.waiting) return;
  entry.waiting = false;
  --waiting_;
  const WaitingCall call = std::exchange(entry.call, {});
  const CallEnd end{.kind = kind,
                    .id = id,
                    .index = entry.index,
                    .view = entry.view,
                    .reply = std::exchange(entry.local, {})};
  const CallTimes times{.execute = entry.local_at - entry.decided_at,
                        .reply = now - entry.local_at};
  entry.votes = {};
  ended_(call, end, times);
}

bool Calls::is_pending(const OperationId& id) const {
  const Entry* entry = find(id);
  return entry && entry->waiting && !entry->decided;
}

Calls::Entry* Calls::find(const OperationId& id) {
  return const_cast<Entry*>(std::as_const(*this).find(id));
}

const Calls::Entry* Calls::find(const OperationId& id) const {
  const bool ours = id.origin == self_ && id.incarnation == incarnation_;
  if (!ours || id.number < first_ || id.number - first_ >= entries_.size()) return nullptr;
  return &entries_[id.number - first_];
}

}  // namespace zap
