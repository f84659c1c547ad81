#include "core/digest.h"

#include <openssl/evp.h>

#include <vector>

#include "core/check.h"

namespace zap {

std::string Digest::hex(std::size_t length) const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < length && i < bytes.size(); ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

// Small values are gathered before they reach OpenSSL, whose per-call cost exceeds that of hashing
// eight bytes.
struct Hasher::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  std::array<unsigned char, 256> gathered;
  std::size_t gathered_size = 0;

  ~Context() { EVP_MD_CTX_free(md); }
  void flush() {
    if (gathered_size > 0) EVP_DigestUpdate(md, gathered.data(), gathered_size);
    gathered_size = 0;
  }
};

namespace {

const EVP_MD* sha256() {
  static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return md;
}

}  // namespace

Hasher::Hasher(std::string_view tag) {
  std::vector<std::unique_ptr<Context>>& spare = spare_contexts();
  if (spare.empty()) {
    context_ = std::make_unique<Context>();
  } else {
    context_ = std::move(spare.back());
    spare.pop_back();
  }
  ZAP_CHECK(EVP_DigestInit_ex2(context_->md, sha256(), nullptr) == 1, "SHA-256 is not available");
  add(tag);
}

Hasher::~Hasher() {
  context_->gathered_size = 0;
  spare_contexts().push_back(std::move(context_));
}

std::vector<std::unique_ptr<Hasher::Context>>& Hasher::spare_contexts() {
  static thread_local std::vector<std::unique_ptr<Context>> spare;
  return spare;
}

void Hasher::feed(const void* data, std::size_t size) {
  if (size == 0) return;  // data may be null then
  Context& context = *context_;
  if (context.gathered_size + size > context.gathered.size()) context.flush();
  if (size > context.gathered.size()) {
    EVP_DigestUpdate(context.md, data, size);
    return;
  }
  std::memcpy(context.gathered.data() + context.gathered_size, data, size);
  context.gathered_size += size;
}

Hasher& Hasher::add(std::uint64_t number) {
  std::array<unsigned char, 8> little_endian;
  for (int i = 0; i < 8; ++i) little_endian[i] = static_cast<unsigned char>(number >> (8 * i));
  feed(little_endian.data(), little_endian.size());
  return *this;
}

Hasher& Hasher::add(std::string_view bytes) {
  add(static_cast<std::uint64_t>(bytes.size()));
  feed(bytes.data(), bytes.size());
  return *this;
}

Hasher& Hasher::add(const Digest& digest) {
  feed(digest.bytes.data(), digest.bytes.size());
  return *this;
}

Digest Hasher::finish() {
  context_->flush();
  Digest digest;
  ZAP_CHECK(EVP_DigestFinal_ex(context_->md, digest.bytes.data(), nullptr) == 1,
            "SHA-256 did not finish");
  return digest;
}

}  // namespace zap
