#include "config/keys.h"

#include <openssl/rand.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "config/file.h"
#include "config/openssl.h"

namespace zap::config {
namespace {

constexpr std::string_view kPrefix = "ed25519:";
constexpr std::size_t kBase64Size = 44;  // of 32 bytes, closed by one '='

}  // namespace

Result<PrivateKey> generate_private_key() {
  PrivateKey key;
  if (RAND_priv_bytes(key.seed.data(), static_cast<int>(key.seed.size())) != 1) {
    return Error{ErrorCode::kIo, "the system has no random bytes for a private key"};
  }
  return key;
}

PublicKey public_key_of(const PrivateKey& key) {
  PublicKey result;
  std::size_t size = result.bytes.size();
  const openssl::Key pair = openssl::key_of(key);
  ZAP_CHECK(pair && EVP_PKEY_get_raw_public_key(pair.get(), result.bytes.data(), &size) == 1,
            "OpenSSL made no Ed25519 key of a seed");
  return result;
}

std::string to_pem(const PrivateKey& key) {
  const openssl::Key pair = openssl::key_of(key);
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  ZAP_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), pair.get(), nullptr, nullptr, 0, nullptr,
                                          nullptr) == 1,
            "OpenSSL did not write an Ed25519 key");
  return openssl::written(bio);
}

Result<PrivateKey> parse_private_key(std::string_view pem) {
  const openssl::Bio bio = openssl::reading(pem);
  char no_password[] = "";  // an encrypted key is an error, not a question on the terminal
  const openssl::Key pair(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, no_password));
  PrivateKey key;
  std::size_t size = key.seed.size();
  if (!pair || EVP_PKEY_get_id(pair.get()) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_private_key(pair.get(), key.seed.data(), &size) != 1) {
    return Error{ErrorCode::kInvalid,
                 "no Ed25519 private key in PEM, as `zap-sidecar init` writes"};
  }
  return key;
}

Result<PrivateKey> load_private_key(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    return Error{ErrorCode::kNotFound,
                 "cannot read " + file.string() + ": " + std::strerror(errno)};
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{ErrorCode::kUnauthorized,
                 file.string() + " can be read by others; chmod 600 " + file.string()};
  }
  auto contents = read_file(file);
  if (!contents) return contents.error();
  auto key = parse_private_key(*contents);
  if (!key) return Error{key.error().code, file.string() + " holds " + key.error().message};
  return key;
}

std::string to_string(const PublicKey& key) {
  std::array<unsigned char, kBase64Size + 1> text{};
  EVP_EncodeBlock(text.data(), key.bytes.data(), static_cast<int>(key.bytes.size()));
  return std::string(kPrefix) + reinterpret_cast<const char*>(text.data());
}

Result<PublicKey> parse_public_key(std::string_view text) {
  PublicKey key;
  std::array<unsigned char, kBase64Size> decoded{};
  const bool prefixed = text.substr(0, kPrefix.size()) == kPrefix;
  const std::string_view base64 = prefixed ? text.substr(kPrefix.size()) : "";
  if (base64.size() == kBase64Size &&
      EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                      kBase64Size) > 0) {
    std::copy_n(decoded.begin(), key.bytes.size(), key.bytes.begin());
    if (to_string(key) == text) return key;  // one key has one text
  }
  return Error{ErrorCode::kInvalid, "'" + std::string(text) +
                                        "' is no public key; write \"ed25519:\" and the 32 bytes "
                                        "in base64, 44 characters"};
}

Result<std::string> random_hex(std::size_t bytes) {
  std::vector<unsigned char> random(bytes);
  if (RAND_bytes(random.data(), static_cast<int>(bytes)) != 1) {
    return Error{ErrorCode::kIo, "the system has no random bytes"};
  }
  std::string text;
  for (const unsigned char byte : random) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace zap::config
