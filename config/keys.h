// config/keys.h - Ed25519 keys: made, read, written.
//
// One key per node serves its TLS certificate and its signatures, so a private key is kept as PEM
// PKCS#8, which TLS libraries read too. A public key is written "ed25519:" and 44 base64
// characters. Any thread.

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/result.h"

namespace zap::config {

/// The 32 bytes that RFC 8032 calls the private key, and others the seed.
struct PrivateKey {
  std::array<std::uint8_t, 32> seed{};
};

Result<PrivateKey> generate_private_key();
PublicKey public_key_of(const PrivateKey& key);

/// "-----BEGIN PRIVATE KEY-----" and so on.
std::string to_pem(const PrivateKey& key);
Result<PrivateKey> parse_private_key(std::string_view pem);

/// Refuses a file that its group or others may read.
Result<PrivateKey> load_private_key(const std::filesystem::path& file);

/// "ed25519:base64"
std::string to_string(const PublicKey& key);
Result<PublicKey> parse_public_key(std::string_view text);

/// `bytes` random bytes as lower-case hexadecimal digits: cluster ids and tokens.
Result<std::string> random_hex(std::size_t bytes);

}  // namespace zap::config
