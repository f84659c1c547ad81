#include "tests/support/fake_keys.h"

#include <cstring>

namespace zap::test {

namespace {

std::uint64_t mixed(std::uint64_t state, std::uint64_t word) {
  state = (state ^ word) * 0xff51afd7ed558ccd;
  state = (state ^ (state >> 33)) * 0xc4ceb9fe1a85ec53;
  return state ^ (state >> 29);
}

}  // namespace

Signer::Signer(std::uint64_t secret, NodeId self) : secret_(mixed(secret, self + 1)), self_(self) {}

Signature Signer::sign(const Digest& statement) const {
  std::uint64_t tag[2] = {secret_, ~secret_};
  for (std::size_t at = 0; at < statement.bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, statement.bytes.data() + at, sizeof word);
    tag[0] = mixed(tag[0], word);
    tag[1] = mixed(tag[1], word);
  }
  Signature signature;
  std::memcpy(signature.bytes.data(), tag, sizeof tag);
  return signature;
}

}  // namespace zap::test
