// examples/fast_orders/state.h - values by key, and what it takes to compare two copies.
//
// Every write gets a number, counted up from 1, and leaves a 64-bit fingerprint of its key and
// value in the history. Two copies that executed the same writes in the same order have the same
// history and digest; a write lost, doubled or moved shows.
//
// Threads: one.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fast_orders {

class State {
 public:
  /// Stores `value`; answers the number of this write.
  std::uint64_t put(std::string_view key, std::string_view value);

  /// Null where the key was never written. Valid until the next put().
  const std::string* get(const std::string& key) const;

  /// One fingerprint a write, oldest first: FNV-1a over key, a zero byte, and value.
  const std::vector<std::uint64_t>& history() const { return history_; }
  /// The place in the order of the last call that had one; 0 before the first. A sidecar that asks
  /// for it sends no call a second time.
  std::uint64_t applied() const { return applied_; }
  void set_applied(std::uint64_t index) { applied_ = index; }

  std::size_t keys() const { return values_.size(); }
  /// Over the whole history, so that order counts.
  std::uint64_t digest() const { return digest_; }

 private:
  std::unordered_map<std::string, std::string> values_;
  std::vector<std::uint64_t> history_;
  std::uint64_t digest_ = 0;
  std::uint64_t applied_ = 0;
};

}  // namespace fast_orders
