// tests/support/fake_keys.h - signatures without arithmetic: a keyed mix of the statement.
//
// Nobody in a test can make another node's signature, since each holds its own Signer and nothing
// else. Hundreds of times cheaper than Ed25519, and the same walk over the message
// (consensus/pbft/statement.h) finds what is signed.

#pragma once

#include <cstdint>

#include "core/digest.h"
#include "core/ids.h"

namespace zap::test {

/// One node's private key.
class Signer {
 public:
  Signer(std::uint64_t secret, NodeId self);
  NodeId self() const { return self_; }
  Signature sign(const Digest& statement) const;

 private:
  std::uint64_t secret_;
  NodeId self_;
};

/// Everyone's keys: hands out signers, and checks.
class FakeKeys {
 public:
  explicit FakeKeys(std::uint64_t seed) : seed_(seed) {}
  Signer signer_of(NodeId node) const { return Signer(seed_, node); }
  bool verify(NodeId signer, const Digest& statement, const Signature& signature) const {
    return signer_of(signer).sign(statement) == signature;
  }

 private:
  std::uint64_t seed_;
};

}  // namespace zap::test
