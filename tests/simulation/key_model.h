// tests/simulation/key_model.h - what idempotency keys mean, said a second time and as plainly as
// possible: a list in order of age, searched from its start. The ledger must come to the same.

#pragma once

#include <deque>
#include <optional>

#include "core/operation.h"

namespace zap::simulation {

class KeyModel {
 public:
  explicit KeyModel(const KeyLimits& limits) : limits_(limits) {}

  /// The slot's agreed time: from here on, keys that are too old are unknown.
  void slot_begins(WallTime agreed);
  /// What the call that first used this key has to say about it; none: the key is unknown.
  std::optional<DecidedCall> find(const OnceKey& once) const;
  void applied(const Operation& operation, Index index);

  std::uint64_t forgotten() const { return forgotten_; }

 private:
  struct Used {
    OnceKey once;
    Index index;
    WallTime at;
    std::uint64_t bytes;
  };
  void forget_oldest();

  const KeyLimits limits_;
  WallTime now_ = 0;
  std::deque<Used> used_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace zap::simulation
