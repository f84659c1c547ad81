#include "proxy/peers/crypto.h"

#include <catch2/catch.hpp>

#include "proxy/peers/verified_signatures.h"
#include "tests/unit/proxy/cluster_keys.h"

namespace zap {
namespace {

Digest statement(std::uint64_t number) { return Hasher("test").add(number).finish(); }

TEST_CASE("crypto: a signature holds for its key and its statement, and for nothing else") {
  const test::ClusterKeys keys(2);
  const Signer one = keys.signer(0), two = keys.signer(1);
  CHECK(one.public_key() == keys.membership.members[0].public_key);
  Signature signature = one.sign(statement(1));
  CHECK(verify(one.public_key(), statement(1), signature));
  CHECK_FALSE(verify(two.public_key(), statement(1), signature));
  CHECK_FALSE(verify(one.public_key(), statement(2), signature));
  signature.bytes[40] ^= 1;
  CHECK_FALSE(verify(one.public_key(), statement(1), signature));
  CHECK_FALSE(verify(one.public_key(), statement(1), Signature{}));
}

TEST_CASE("crypto: the public key of RFC 8032's first test") {
  const Signer::Seed seed = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                             0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                             0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
  const PublicKey key = Signer(seed).public_key();
  CHECK(key.bytes[0] == 0xd7);
  CHECK(key.bytes[1] == 0x5a);
  CHECK(key.bytes[31] == 0x1a);
}

TEST_CASE("verified signatures: all of signer, statement and signature count, the newest stay") {
  VerifiedSignatures verified(2);
  const pbft::ToVerify first{1, statement(1), {}};
  verified.add(first);
  CHECK(verified.contains(first));
  pbft::ToVerify other = first;
  other.signer = 2;
  CHECK_FALSE(verified.contains(other));
  other = first;
  other.signature.bytes[63] = 1;
  CHECK_FALSE(verified.contains(other));
  verified.add({1, statement(2), {}});
  verified.add(first);
  verified.add({1, statement(3), {}});
  CHECK_FALSE(verified.contains(first));
  CHECK(verified.contains({1, statement(2), {}}));
}

TEST_CASE("tls: files that do not fit each other are named") {
  const test::ClusterKeys keys(2);
  const PublicKey& own = keys.membership.members[0].public_key;
  const auto error = [&](const char* certificate, const char* key, const char* authority) {
    return TlsContext::load(keys.file(certificate), keys.file(key), keys.file(authority), own)
        .error()
        .message;
  };
  CHECK_THAT(error("node2.crt", "node1.key", "ca.crt"), Catch::Contains("node2.crt"));
  CHECK_THAT(error("node1.crt", "node2.key", "ca.crt"), Catch::Contains("node2.key"));
  CHECK_THAT(error("node1.crt", "node1.key", "none.crt"), Catch::Contains("none.crt"));
}

}  // namespace
}  // namespace zap
