#include "proxy/peers/crypto.h"

#include <sodium.h>

#include "core/check.h"

namespace zap {

namespace {

void start_sodium() {
  static const int started = sodium_init();
  ZAP_CHECK(started >= 0, "libsodium does not start");
}

}  // namespace

Signer::Signer(const Seed& seed) {
  start_sodium();
  crypto_sign_seed_keypair(public_key_.bytes.data(), secret_.data(), seed.data());
}

Signer::~Signer() { sodium_memzero(secret_.data(), secret_.size()); }

Signature Signer::sign(const Digest& statement) const {
  Signature signature;
  crypto_sign_detached(signature.bytes.data(), nullptr, statement.bytes.data(),
                       statement.bytes.size(), secret_.data());
  return signature;
}

bool verify(const PublicKey& key, const Digest& statement, const Signature& signature) {
  start_sodium();
  return crypto_sign_verify_detached(signature.bytes.data(), statement.bytes.data(),
                                     statement.bytes.size(), key.bytes.data()) == 0;
}

}  // namespace zap
