#include "consensus/pbft/pool.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "consensus/pbft/settings.h"

namespace zap::pbft {

namespace {

/// What a call takes of a batch before its first byte, for fairness among origins.
constexpr std::size_t kCallCost = 1'000;

std::size_t bytes_of(const Call& call) { return call.operation.payload.size() + sizeof(Call); }

std::size_t bytes_of(const BundleProof& proof) {
  return sizeof(BundleProof) + proof.digests.size() * sizeof(Digest);
}

}  // namespace

Pool::Added Pool::add(const CallPtr& call, const Proof& proof, Instant now) {
  const OperationId& id = call->operation.id;
  Origin& origin = origins_[id.origin];
  if (id.incarnation > origin.incarnation) supersede(origin, id.incarnation);
  if (payloads_.contains(call->digest)) return Added::kKnown;

  bool conflicting = false;
  if (id.incarnation < origin.incarnation) {
    // Nobody waits for it any more, but a pre-prepare may have named it.
    if (origin.superseded.size() >= kClientWindow && !is_pinned(call->digest)) {
      return Added::kKnown;
    }
    origin.superseded.push_back(call->digest);
  } else {
    const auto [entry, first] = origin.waiting.try_emplace(id.number);
    Waiting& waiting = entry->second;
    conflicting = !first;
    if (first) {
      waiting.since = now;
      origin.unproposed.insert(id.number);
      ++unproposed_;
    }
    waiting.payloads.push_back(call->digest);
    if (waiting.payloads.size() > kPayloadsPerId) forget_unpinned(origin, waiting.payloads, 2);
  }
  origin.bytes += hold(call, proof);
  if (id.origin != self_) enforce_bound(origin);
  return conflicting ? Added::kConflicting : Added::kNew;
}

const CallPtr* Pool::find(const Digest& digest) const {
  const auto held = payloads_.find(digest);
  return held == payloads_.end() ? nullptr : &held->second.call;
}

std::vector<Bundle> Pool::bundles_of(const std::vector<Digest>& digests, std::size_t bytes) const {
  std::vector<Bundle> bundles;
  std::unordered_set<Digest, DigestHash> taken;
  std::size_t taken_bytes = 0;
  for (const Digest& digest : digests) {
    const auto held = payloads_.find(digest);
    if (held == payloads_.end() || !taken.insert(digest).second) continue;
    taken_bytes += held->second.call->operation.payload.size();
    if (taken_bytes > bytes && taken.size() > 1) break;
    const Proof& proof = held->second.proof;
    const auto same = std::find_if(bundles.begin(), bundles.end(), [&proof](const Bundle& bundle) {
      return bundle.proof == proof;
    });
    Bundle& bundle = same != bundles.end() ? *same : bundles.emplace_back(Bundle{proof, {}});
    bundle.calls.push_back(held->second.call);
  }
  return bundles;
}

void Pool::pin(Seq seq, const std::vector<Digest>& digests) {
  const auto [entry, first] = pinned_.try_emplace(seq, digests);
  if (!first) return;
  for (const Digest& digest : digests) ++pins_[digest];
}

void Pool::unpin(Seq seq) {
  const auto entry = pinned_.find(seq);
  if (entry == pinned_.end()) return;
  for (const Digest& digest : entry->second) {
    const auto pin = pins_.find(digest);
    if (--pin->second == 0) pins_.erase(pin);
  }
  pinned_.erase(entry);
}

void Pool::unpin_all() {
  pins_.clear();
  pinned_.clear();
}

std::vector<Pool::Proof> Pool::proofs_of(const OperationId& id) const {
  std::vector<Proof> proofs;
  const Waiting* waiting = find_waiting(id);
  if (!waiting) return proofs;
  for (const Digest& digest : waiting->payloads) proofs.push_back(payloads_.at(digest).proof);
  return proofs;
}

std::optional<Instant> Pool::decided(const OperationId& id) {
  const auto found = origins_.find(id.origin);
  if (found == origins_.end()) return std::nullopt;
  Origin& origin = found->second;

  // A newer run was decided before any of its bundles came: the older one has nothing to wait for.
  if (id.incarnation > origin.incarnation) supersede(origin, id.incarnation);
  if (id.incarnation < origin.incarnation) return std::nullopt;
  const Waiting* waiting = find_waiting(id);
  const std::optional<Instant> since = waiting ? std::optional(waiting->since) : std::nullopt;
  forget_waiting(origin, id.number);
  for (const Digest& digest : std::exchange(origin.superseded, {})) forget(origin, digest);
  return since;
}

std::vector<CallPtr> Pool::take(std::size_t count, std::size_t bytes) {
  struct Share {
    NodeId id;
    Origin* origin;
    std::size_t cost = 0;
  };
  std::vector<Share> shares;
  for (auto& [id, origin] : origins_) {
    if (!origin.unproposed.empty()) shares.push_back({id, &origin});
  }
  // Whose turn it is goes first, here and wherever two had as much.
  std::rotate(shares.begin(),
              std::find_if(shares.begin(), shares.end(),
                           [this](const Share& share) { return share.id >= next_turn_; }),
              shares.end());
  if (!shares.empty()) next_turn_ = shares.front().id + 1;

  std::vector<CallPtr> taken;
  std::size_t taken_bytes = 0;
  while (taken.size() < count && !shares.empty()) {
    const auto share = std::min_element(
        shares.begin(), shares.end(),
        [](const Share& one, const Share& other) { return one.cost < other.cost; });
    std::set<std::uint64_t>& numbers = share->origin->unproposed;
    Waiting& waiting = share->origin->waiting.at(*numbers.begin());
    const CallPtr& call = payloads_.at(waiting.payloads.front()).call;
    const std::size_t size = call->operation.payload.size();
    if (!taken.empty() && taken_bytes + size > bytes) {
      shares.erase(share);  // its turn to be first will come
      continue;
    }
    taken_bytes += size;
    share->cost += kCallCost + size;
    numbers.erase(numbers.begin());
    --unproposed_;
    waiting.proposed = true;
    taken.push_back(call);
    if (numbers.empty()) shares.erase(share);
  }
  return taken;
}

void Pool::mark_proposed(const OperationId& id) {
  Waiting* waiting = find_waiting(id);
  if (!waiting) return;
  waiting->proposed = true;
  if (origins_[id.origin].unproposed.erase(id.number) > 0) --unproposed_;
}

void Pool::mark_all_unproposed() {
  unproposed_ = 0;
  for (auto& [id, origin] : origins_) {
    for (auto& [number, waiting] : origin.waiting) {
      waiting.proposed = false;
      waiting.forwarded = false;
      origin.unproposed.insert(number);
    }
    unproposed_ += origin.unproposed.size();
  }
}

std::vector<Digest> Pool::take_overdue(Instant before, std::size_t limit) {
  std::vector<Digest> digests;
  for (auto& [id, origin] : origins_) {
    std::size_t taken = 0;
    for (const std::uint64_t number : origin.unproposed) {
      Waiting& waiting = origin.waiting.at(number);
      if (waiting.since > before || taken >= limit) break;
      if (waiting.forwarded) continue;
      waiting.forwarded = true;
      waiting.since = before;
      digests.push_back(waiting.payloads.front());
      ++taken;
    }
  }
  return digests;
}

std::vector<Digest> Pool::waiting_of(NodeId origin, std::size_t limit) const {
  std::vector<Digest> digests;
  const auto found = origins_.find(origin);
  if (found == origins_.end()) return digests;
  for (const auto& [number, waiting] : found->second.waiting) {
    if (digests.size() >= limit) break;
    digests.push_back(waiting.payloads.front());
  }
  return digests;
}

bool Pool::is_waiting(NodeId origin) const {
  const auto found = origins_.find(origin);
  return found != origins_.end() && !found->second.waiting.empty();
}

std::size_t Pool::waiting() const {
  std::size_t count = 0;
  for (const auto& [id, origin] : origins_) count += origin.waiting.size();
  return count;
}

std::size_t Pool::most_superseded_bytes() const {
  std::size_t most = 0;
  for (const auto& [id, origin] : origins_) {
    if (id == self_) continue;
    std::size_t bytes = 0;
    std::unordered_set<const BundleProof*> proofs;
    for (const Digest& digest : origin.superseded) {
      const auto held = payloads_.find(digest);
      if (held == payloads_.end() || is_pinned(digest)) continue;
      bytes += bytes_of(*held->second.call);
      const BundleProof& proof = *held->second.proof;
      if (proofs.insert(&proof).second) bytes += bytes_of(proof);
    }
    most = std::max(most, bytes);
  }
  return most;
}

const Pool::Waiting* Pool::find_waiting(const OperationId& id) const {
  const auto origin = origins_.find(id.origin);
  if (origin == origins_.end() || origin->second.incarnation != id.incarnation) return nullptr;
  const auto waiting = origin->second.waiting.find(id.number);
  return waiting == origin->second.waiting.end() ? nullptr : &waiting->second;
}

/// How many bytes more that takes: a proof is one object for all calls of the bundle it came with.
std::size_t Pool::hold(const CallPtr& call, const Proof& proof) {
  payloads_.emplace(call->digest, Held{call, proof});
  const bool first = ++proofs_[proof.get()] == 1;
  return bytes_of(*call) + (first ? bytes_of(*proof) : 0);
}

void Pool::forget(Origin& origin, const Digest& digest) {
  const auto held = payloads_.find(digest);
  if (held == payloads_.end()) return;
  const Proof& proof = held->second.proof;
  const auto covers = proofs_.find(proof.get());
  if (--covers->second == 0) {
    origin.bytes -= bytes_of(*proof);
    proofs_.erase(covers);
  }
  origin.bytes -= bytes_of(*held->second.call);
  payloads_.erase(held);
}

/// Forgets those of `digests` that no proposal of now names, but for the first `keep`.
void Pool::forget_unpinned(Origin& origin, std::vector<Digest>& digests, std::size_t keep) {
  std::vector<Digest> kept;
  for (const Digest& digest : digests) {
    if (kept.size() < keep || is_pinned(digest)) {
      kept.push_back(digest);
    } else {
      forget(origin, digest);
    }
  }
  digests = std::move(kept);
}

void Pool::forget_waiting(Origin& origin, std::uint64_t number) {
  const auto entry = origin.waiting.find(number);
  if (entry == origin.waiting.end()) return;
  for (const Digest& digest : entry->second.payloads) forget(origin, digest);
  if (origin.unproposed.erase(number) > 0) --unproposed_;
  origin.waiting.erase(entry);
}

void Pool::supersede(Origin& origin, Incarnation incarnation) {
  // One older generation is kept, whatever an origin says.
  for (const Digest& digest : std::exchange(origin.superseded, {})) forget(origin, digest);
  for (const auto& [number, waiting] : origin.waiting) {
    origin.superseded.insert(origin.superseded.end(), waiting.payloads.begin(),
                             waiting.payloads.end());
  }
  origin.waiting.clear();
  unproposed_ -= origin.unproposed.size();
  origin.unproposed.clear();
  origin.incarnation = incarnation;
}

void Pool::enforce_bound(Origin& origin) {
  if (origin.bytes <= bytes_per_origin_) return;
  forget_unpinned(origin, origin.superseded, 0);
  if (origin.bytes <= bytes_per_origin_) return;
  for (auto& [number, waiting] : origin.waiting) forget_unpinned(origin, waiting.payloads, 1);

  auto number = origin.unproposed.begin();
  while (origin.bytes > bytes_per_origin_ && origin.unproposed.size() > 1 &&
         number != origin.unproposed.end()) {
    const std::uint64_t oldest = *number++;
    const std::vector<Digest>& payloads = origin.waiting.at(oldest).payloads;
    if (!std::any_of(payloads.begin(), payloads.end(),
                     [this](const Digest& digest) { return is_pinned(digest); })) {
      forget_waiting(origin, oldest);
    }
  }
}

}  // namespace zap::pbft
