// proxy/peers/verified_signatures.h - signatures that were found valid: the newest some thousands.
//
// A view change repeats the prepares that everyone has verified, a new view repeats the view
// changes, and a forwarded call its origin's proof: looking one up costs a hundredth of verifying
// it again.
//
// Threads: any; a lock inside, held for one lookup.

#pragma once

#include <deque>
#include <mutex>
#include <unordered_set>

#include "consensus/pbft/statement.h"
#include "core/digest.h"

namespace zap {

class VerifiedSignatures {
 public:
  explicit VerifiedSignatures(std::size_t most) : most_(most) {}

  bool contains(const pbft::ToVerify& signature) const;
  void add(const pbft::ToVerify& signature);

 private:
  /// Covers all three fields.
  static Digest key_of(const pbft::ToVerify& signature);

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::unordered_set<Digest, DigestHash> keys_;
  std::deque<Digest> by_age_;
};

}  // namespace zap
