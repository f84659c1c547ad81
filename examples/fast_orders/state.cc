#include "examples/fast_orders/state.h"

namespace fast_orders {
namespace {

constexpr std::uint64_t kFnvBasis = 0xcbf29ce484222325;
constexpr std::uint64_t kFnvPrime = 0x100000001b3;

std::uint64_t fnv1a(std::uint64_t hash, std::string_view bytes) {
  for (const char byte : bytes) hash = (hash ^ static_cast<std::uint8_t>(byte)) * kFnvPrime;
  return hash;
}

}  // namespace

std::uint64_t State::put(std::string_view key, std::string_view value) {
  const std::uint64_t separated = fnv1a(fnv1a(kFnvBasis, key), std::string_view("\0", 1));
  const std::uint64_t fingerprint = fnv1a(separated, value);
  values_[std::string(key)] = value;
  history_.push_back(fingerprint);
  digest_ = (digest_ ^ fingerprint) * kFnvPrime;
  return history_.size();
}

const std::string* State::get(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

}  // namespace fast_orders
