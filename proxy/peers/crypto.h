// proxy/peers/crypto.h - Ed25519: libsodium behind one door.
//
// A signature says a statement (consensus/pbft/statement.h), which is a digest that binds its
// cluster, epoch, type and signer; nothing else is ever signed with a node's key but TLS's own.
//
// Threads: any.

#pragma once

#include <array>
#include <cstdint>

#include "core/digest.h"
#include "core/ids.h"

namespace zap {

/// A private key. Wiped when destroyed.
class Signer {
 public:
  using Seed = std::array<std::uint8_t, 32>;  ///< config::PrivateKey::seed

  explicit Signer(const Seed& seed);
  ~Signer();
  Signer(const Signer&) = default;
  Signer& operator=(const Signer&) = default;

  Signature sign(const Digest& statement) const;
  const PublicKey& public_key() const { return public_key_; }

 private:
  std::array<std::uint8_t, 64> secret_;
  PublicKey public_key_;
};

bool verify(const PublicKey& key, const Digest& statement, const Signature& signature);

}  // namespace zap
