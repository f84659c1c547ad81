#include "consensus/ledger.h"

#include <algorithm>

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

  Decision decision{.seq = seq, .view = view, .timestamp = agreed};
  Hasher chain("zap chain");
  chain.add(chain_).add(seq).add(agreed).add(last_index_);
  for (const CallPtr& call : calls) {
    const Operation& operation = call->operation;
    ClientRecord& client = clients_[operation.id.origin];
    DecidedCall decided{.call = call};
    if (rules_.deduplicate && client.is_decided(operation.id.incarnation, operation.id.number)) {
      decided.outcome = Outcome::kDuplicate;
    } else if (rules_.deduplicate &&
               !client.admits(operation.id.incarnation, operation.id.number)) {
      decided.outcome = Outcome::kVoid;
    } else {
      if (client.admits(operation.id.incarnation, operation.id.number)) {
        client.decide(operation.id.incarnation, operation.id.number);
      }
      if (rules_.deadlines_count && agreed > operation.deadline) {
        decided.outcome = Outcome::kExpired;
      } else {
        decided.outcome = Outcome::kApplied;
        decided.index = ++last_index_;
        const Digest seed = Hasher("zap seed")
                                .add(std::string_view(cluster_))
                                .add(chain_)
                                .add(call->digest)
                                .add(decided.index)
                                .finish();
        std::memcpy(&decided.seed, seed.bytes.data(), sizeof decided.seed);
      }
    }
    chain.add(call->digest);
    decision.calls.push_back(std::move(decided));
  }
  chain_ = chain.finish();
  last_seq_ = seq;
  last_timestamp_ = agreed;
  return decision;
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

Digest Ledger::checkpoint_digest(Epoch epoch, const Digest& membership) const {
  Hasher hasher("zap checkpoint");
  hasher.add(last_seq_)
      .add(epoch)
      .add(last_index_)
      .add(last_timestamp_)
      .add(chain_)
      .add(membership);
  hasher.add(static_cast<std::uint64_t>(clients_.size()));
  for (const auto& [origin, client] : clients_) {
    hasher.add(origin);
    client.add_to(hasher);
  }
  return hasher.finish();
}

}  // namespace zap
