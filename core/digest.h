// core/digest.h - SHA-256, and the one way to hash structured values.
//
// Hasher writes every integer as 8 little-endian bytes and every string behind its length, and
// starts with a tag that names what is hashed: two different values never feed the same bytes.
// Contexts are reused within their thread (a fresh one costs twice as much).

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace zap {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// Lower-case hexadecimal of the first `length` bytes.
  std::string hex(std::size_t length = 32) const;

  friend auto operator<=>(const Digest&, const Digest&) = default;
};

struct DigestHash {
  std::size_t operator()(const Digest& digest) const {
    std::size_t first;
    std::memcpy(&first, digest.bytes.data(), sizeof first);
    return first;
  }
};

class Hasher {
 public:
  /// `tag` names the kind of value, such as "zap batch".
  explicit Hasher(std::string_view tag);
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& add(std::uint64_t number);
  Hasher& add(std::int64_t number) { return add(static_cast<std::uint64_t>(number)); }
  Hasher& add(std::uint32_t number) { return add(static_cast<std::uint64_t>(number)); }
  Hasher& add(std::string_view bytes);
  Hasher& add(const Digest& digest);

  /// The digest of all that was added. Call once.
  Digest finish();

 private:
  void feed(const void* data, std::size_t size);

  struct Context;
  static std::vector<std::unique_ptr<Context>>& spare_contexts();

  std::unique_ptr<Context> context_;
};

}  // namespace zap
