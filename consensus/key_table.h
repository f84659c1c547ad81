// consensus/key_table.h - which idempotency keys were used, by which calls: part of what all nodes
// agree on.
//
// A key is recorded when its call is applied and forgotten by agreed time and order alone: each
// node holds the same keys after the same slot, and a log that is executed again brings them back.
//
// Keys age in the order in which they came, so the table is a queue with an index over it. Each
// entry has the hash of itself and of all before it: the newest hash stands for the whole table in
// a checkpoint's digest, however large the table is.

#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

#include "core/digest.h"
#include "core/ids.h"
#include "core/operation.h"
#include "core/time.h"

namespace zap {

class KeyTable {
 public:
  /// What an entry counts for, its request aside: agreed, and so no sizeof.
  static constexpr std::uint64_t kUseBytes = 128;

  struct Use {
    Digest key;
    Digest fingerprint;
    Index index = 0;         ///< of the call that was applied under it
    WallTime timestamp = 0;  ///< agreed
    std::uint64_t bytes = 0;
    Digest chain;  ///< of this entry and all before it
  };

  void set_limits(const KeyLimits& limits) { limits_ = limits; }

  /// Nothing where the key is not known, or not any more.
  const Use* find(const Digest& key) const;
  /// The key is not known yet. `request_bytes` is what its call carries.
  void add(const OnceKey& key, Index index, WallTime timestamp, std::uint64_t request_bytes);
  /// Forgets what is older than limits allow.
  void forget(WallTime agreed);
  /// As a restart would, that does not execute the log again: for planted bugs.
  void clear() { *this = {}; }

  std::size_t size() const { return uses_.size(); }
  void add_to(Hasher& hasher) const;

 private:
  void drop_oldest();

  KeyLimits limits_;
  std::deque<Use> uses_;     ///< by age
  std::uint64_t first_ = 0;  ///< so many were forgotten
  std::uint64_t bytes_ = 0;  ///< over uses_
  Digest forgotten_;         ///< chain of the newest one that was forgotten
  std::unordered_map<Digest, std::uint64_t, DigestHash> by_key_;  ///< the n-th use of all
};

}  // namespace zap
