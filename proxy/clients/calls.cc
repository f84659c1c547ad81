#include "proxy/clients/calls.h"

#include <utility>

#include "core/limits.h"

namespace zap {

Calls::Calls(NodeId self, Incarnation incarnation, Quorum quorum, config::Replies rule,
             CallsHandlers handlers)
    : self_(self),
      incarnation_(incarnation),
      quorum_(quorum),
      rule_(rule),
      handlers_(std::move(handlers)) {}

OperationId Calls::take(WaitingCall call) {
  const std::uint64_t number = first_ + entries_.size();
  deadlines_.push({call.deadline, number});
  Entry& entry = entries_.emplace_back();
  entry.method = call.method;
  entry.waiting_call = std::move(call);
  ++waiting_;
  return {self_, incarnation_, number};
}

OperationId Calls::take_number() {
  const std::uint64_t number = first_ + entries_.size();
  entries_.emplace_back().waiting = false;
  return {self_, incarnation_, number};
}

void Calls::decided(const DecidedCall& decided, View view, Instant now) {
  const OperationId& id = decided.call->operation.id;
  Entry* entry = find(id);
  if (!entry || !entry->method) return;
  if (entry->decided || decided.outcome == Outcome::kDuplicate) return;
  entry->decided = true;
  entry->decided_at = now;
  entry->index = decided.index;
  entry->view = view;
  entry->repeated = decided.outcome == Outcome::kRepeated;
  if (decided.outcome == Outcome::kKeyReused) {
    return end(*entry, id, CallEnd::Kind::kKeyReused, now);
  }
  if (decided.outcome != Outcome::kApplied && !entry->repeated) {
    return end(*entry, id, CallEnd::Kind::kNotExecuted, now);
  }
  if (entry->waiting) entry->call = decided.call;
  if (entry->votes.size() > 0) settle(*entry, id, now);  // peers were faster
}

void Calls::local_reply(const OperationId& id, const Reply* reply, bool counts, Instant now) {
  Entry* entry = find(id);
  if (!entry) return;
  entry->executed = true;
  entry->local_at = now;
  if (reply && entry->waiting) entry->local = *reply;
  vote(*entry, id, self_, reply && counts ? std::optional(reply->compared) : std::nullopt, now);
}

void Calls::peer_reply(NodeId from, const OperationId& id, const std::optional<Digest>& compared,
                       Instant now) {
  if (Entry* entry = find(id)) vote(*entry, id, from, compared, now);
}

void Calls::vote(Entry& entry, const OperationId& id, NodeId node,
                 const std::optional<Digest>& compared, Instant now) {
  if (!entry.method || !entry.votes.add(node, compared)) return;
  if (rule_ == config::Replies::kQuorum) compare(entry, id);
  settle(entry, id, now);
}

void Calls::settle(Entry& entry, const OperationId& id, Instant now) {
  if (!entry.waiting || !entry.decided) return;
  if (rule_ == config::Replies::kLocal) {
    if (!entry.executed) return;
    return end(entry, id, entry.local ? CallEnd::Kind::kAnswered : CallEnd::Kind::kLost, now);
  }
  switch (entry.votes.verdict(quorum_, entry.votes.to_come(quorum_.n, handlers_.mute()))) {
    case Verdict::kOpen:
      return;
    case Verdict::kAgreed:
      return agreed(entry, id, now);
    case Verdict::kDiffer:
      return end(entry, id, CallEnd::Kind::kDiffer, now);
    case Verdict::kLost:
      return end(entry, id, CallEnd::Kind::kLost, now);
  }
}

void Calls::agreed(Entry& entry, const OperationId& id, Instant now) {
  const Digest& answer = *entry.votes.given_by(quorum_.one_correct());
  if (entry.local && entry.local->compared == answer) {
    return end(entry, id, CallEnd::Kind::kAnswered, now);
  }
  if (entry.fetching || waits_for_local(entry, now)) return;
  entry.fetching = true;
  std::vector<NodeId> donors = entry.votes.who_gave(answer);
  std::erase(donors, self_);
  handlers_.fetch(entry.call, answer, std::move(donors));
}

/// In the ordinary case the local answer is a moment away, and its bytes need not travel.
bool Calls::waits_for_local(Entry& entry, Instant now) {
  if (entry.executed || !handlers_.expects_local(*entry.call)) return false;
  if (now - local_was_late_ < limits::kLocalAnswerLate) return false;
  if (entry.agreed_at == Instant{}) entry.agreed_at = now;
  if (now - entry.agreed_at < limits::kLocalAnswerPatience) return true;
  local_was_late_ = now;
  return false;
}

void Calls::fetched(const OperationId& id, const Reply* reply, Instant now) {
  Entry* entry = find(id);
  if (!entry || !entry->waiting) return;
  if (!reply) return end(*entry, id, CallEnd::Kind::kLost, now);
  entry->local = *reply;
  if (!entry->executed) entry->local_at = now;
  end(*entry, id, CallEnd::Kind::kAnswered, now);
}

/// Reads tell what an application was asked beside the order, and never that it diverged; nor does
/// what nodes kept, which a replay may have brought back.
void Calls::compare(Entry& entry, const OperationId& id) {
  if (!is_comparable(entry) || !entry.votes.differ()) return;
  const Digest* agreed = entry.votes.given_by(quorum_.size());
  if (!agreed) return;
  for (const AnswerVotes::Vote& vote : entry.votes.take_dissenters(*agreed)) {
    handlers_.diverged({.node = vote.node,
                        .id = id,
                        .index = entry.index,
                        .method = entry.method->match,
                        .given = *vote.compared,
                        .agreed = *agreed});
  }
}

bool Calls::is_comparable(const Entry& entry) {
  return entry.method && entry.method->mode == config::Mode::kReplicated && !entry.repeated;
}

void Calls::tick(Instant now) {
  while (!deadlines_.empty() && deadlines_.top().at <= now) {
    const OperationId id{self_, incarnation_, deadlines_.top().number};
    deadlines_.pop();
    if (Entry* entry = find(id)) end(*entry, id, CallEnd::Kind::kTimedOut, now);
  }
  OperationId id{self_, incarnation_, first_};
  for (std::size_t i = 0; i < entries_.size(); ++i, ++id.number) {
    if (entries_[i].waiting && entries_[i].votes.size() > 0) settle(entries_[i], id, now);
  }
  drop_front();
}

void Calls::drop_front() {
  for (; !entries_.empty() && !entries_.front().waiting; entries_.pop_front(), ++first_) {
    const Entry& entry = entries_.front();
    const bool compared = rule_ == config::Replies::kLocal || entry.index == 0 ||
                          entry.votes.to_come(quorum_.n, handlers_.mute()) == 0;
    if (!compared && entries_.size() <= limits::kCallsCompared) return;
    if (is_comparable(entry) && entry.votes.differ() && !entry.votes.given_by(quorum_.size())) {
      handlers_.disagreed({.id = {self_, incarnation_, first_},
                           .index = entry.index,
                           .method = entry.method->match,
                           .votes = entry.votes});
    }
  }
}

void Calls::end(Entry& entry, const OperationId& id, CallEnd::Kind kind, Instant now) {
  if (!entry.waiting) return;
  entry.waiting = false;
  --waiting_;
  if (entry.fetching) handlers_.forget_fetch(id);
  const WaitingCall call = std::exchange(entry.waiting_call, {});
  CallEnd end{.kind = kind, .id = id, .index = entry.index, .view = entry.view};
  if (kind == CallEnd::Kind::kAnswered) end.reply = std::move(*entry.local);
  entry.local.reset();
  entry.call.reset();
  const CallTimes times{.execute = entry.local_at - entry.decided_at,
                        .reply = now - entry.local_at};
  handlers_.ended(call, end, times);
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
