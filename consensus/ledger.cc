#include "consensus/ledger.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"

namespace zap {

bool ClientRecord::is_decided(Incarnation incarnation, std::uint64_t number) const {
  if (incarnation != incarnation_) return false;
  if (number < low_mark_) return true;
  return number < low_mark_ + kWindow && decided_[number % kWindow];
}

bool ClientRecord::admits(Incarnation incarnation, std::uint64_t number) const {
  if (number == 0 || incarnation < incarnation_) return false;
  if (incarnation > incarnation_) return number <= kWindow;
  return number < low_mark_ + kWindow && !is_decided(incarnation, number);
}

void ClientRecord::decide(Incarnation incarnation, std::uint64_t number) {
  ZAP_CHECK(admits(incarnation, number), "incarnation " << incarnation << " number " << number
                                                        << " at incarnation " << incarnation_
                                                        << " low mark " << low_mark_);
  if (incarnation > incarnation_) {
    incarnation_ = incarnation;
    low_mark_ = 1;
    decided_.reset();
  }
  decided_[number % kWindow] = true;
  while (decided_[low_mark_ % kWindow]) {
    decided_[low_mark_ % kWindow] = false;
    ++low_mark_;
  }
}

void ClientRecord::add_to(Hasher& hasher) const {
  hasher.add(incarnation_).add(low_mark_);
  for (std::uint64_t first = 0; first < kWindow; first += 64) {
    std::uint64_t word = 0;
    for (std::uint64_t bit = 0; bit < 64; ++bit) {
      if (decided_[first + bit]) word |= std::uint64_t{1} << bit;
    }
    hasher.add(word);
  }
}

Decision Ledger::execute(Seq seq, View view, WallTime proposed, const std::vector<CallPtr>& calls) {
  ZAP_CHECK(seq == last_seq_ + 1, "slot " << seq << " executed after " << last_seq_);
  const WallTime agreed =
      rules_.timestamps_never_go_back ? std::max(proposed, last_timestamp_) : proposed;
  keys_.forget(rules_.keys_age_by.value_or(agreed));

  Decision decision{.seq = seq, .view = view, .timestamp = agreed};
  Hasher chain("zap chain");
  chain.add(chain_).add(seq).add(agreed).add(last_index_);
  for (const CallPtr& call : calls) {
    chain.add(call->digest);
    decision.calls.push_back(execute(call, agreed));
  }
  chain_ = chain.finish();
  last_seq_ = seq;
  last_timestamp_ = agreed;
  return decision;
}

/// In this order: incarnation and window, duplicate, deadline, key. So a call that is refused or
/// late uses up no key.
DecidedCall Ledger::execute(const CallPtr& call, WallTime agreed) {
  const Operation& operation = call->operation;
  const auto& [origin, incarnation, number] = operation.id;
  ClientRecord& client = clients_[origin];
  const bool admitted = client.admits(incarnation, number);
  if (rules_.deduplicate && !admitted) {
    const bool decided = client.is_decided(incarnation, number);
    return {.call = call, .outcome = decided ? Outcome::kDuplicate : Outcome::kVoid};
  }
  if (admitted) client.decide(incarnation, number);

  if (rules_.deadlines_count && agreed > operation.deadline) {
    return {.call = call, .outcome = Outcome::kExpired};
  }
  if (operation.kind == OperationKind::kBarrier)
    return {.call = call, .outcome = Outcome::kBarrier, .index = last_index_};
  if (operation.once) {
    if (const KeyTable::Use* first = keys_.find(operation.once->key)) {
      const bool same = first->fingerprint == operation.once->fingerprint;
      return {.call = call,
              .outcome = same ? Outcome::kRepeated : Outcome::kKeyReused,
              .index = first->index};
    }
    keys_.add(*operation.once, last_index_ + 1, agreed, operation.payload.size());
  }
  const Index index = ++last_index_;
  return {
      .call = call, .outcome = Outcome::kApplied, .index = index, .seed = seed_of(*call, index)};
}

std::uint64_t Ledger::seed_of(const Call& call, Index index) const {
  const Digest digest = Hasher("zap seed")
                            .add(std::string_view(cluster_))
                            .add(chain_)
                            .add(call.digest)
                            .add(index)
                            .finish();
  std::uint64_t seed;
  std::memcpy(&seed, digest.bytes.data(), sizeof seed);
  return seed;
}

bool Ledger::is_decided(const OperationId& id) const {
  const auto client = clients_.find(id.origin);
  if (client == clients_.end()) return false;
  return id.incarnation < client->second.incarnation() ||
         client->second.is_decided(id.incarnation, id.number);
}

bool Ledger::admits(const OperationId& id) const {
  const auto client = clients_.find(id.origin);
  return (client == clients_.end() ? ClientRecord{} : client->second)
      .admits(id.incarnation, id.number);
}

std::uint64_t Ledger::low_mark(NodeId origin, Incarnation incarnation) const {
  const auto client = clients_.find(origin);
  if (client == clients_.end() || client->second.incarnation() != incarnation) return 1;
  return client->second.low_mark();
}

Digest Ledger::digest() const {
  Hasher hasher("zap ledger");
  hasher.add(last_seq_).add(last_index_).add(last_timestamp_).add(chain_);
  hasher.add(static_cast<std::uint64_t>(clients_.size()));
  for (const auto& [origin, client] : clients_) {
    hasher.add(origin);
    client.add_to(hasher);
  }
  keys_.add_to(hasher);
  return hasher.finish();
}

Digest checkpoint_digest(const Digest& ledger, Epoch epoch, const Digest& membership) {
  return Hasher("zap checkpoint").add(ledger).add(epoch).add(membership).finish();
}

}  // namespace zap
