#include "consensus/key_table.h"

#include "core/check.h"

namespace zap {

const KeyTable::Use* KeyTable::find(const Digest& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &uses_[found->second - first_];
}

void KeyTable::add(const OnceKey& key, Index index, WallTime timestamp,
                   std::uint64_t request_bytes) {
  const bool is_new = by_key_.emplace(key.key, first_ + uses_.size()).second;
  ZAP_CHECK(is_new, "key " << key.key.hex(8) << " is used twice");
  const std::uint64_t bytes = kUseBytes + request_bytes;
  const Digest chain = Hasher("zap key")
                           .add(uses_.empty() ? forgotten_ : uses_.back().chain)
                           .add(key.key)
                           .add(key.fingerprint)
                           .add(index)
                           .add(timestamp)
                           .add(bytes)
                           .finish();
  uses_.push_back({key.key, key.fingerprint, index, timestamp, bytes, chain});
  bytes_ += bytes;
  while (uses_.size() > limits_.entries || bytes_ > limits_.bytes) drop_oldest();
}

void KeyTable::forget(WallTime agreed) {
  while (!uses_.empty() && agreed - uses_.front().timestamp > limits_.keep.count()) drop_oldest();
}

void KeyTable::drop_oldest() {
  const Use& oldest = uses_.front();
  by_key_.erase(oldest.key);
  bytes_ -= oldest.bytes;
  forgotten_ = oldest.chain;
  uses_.pop_front();
  ++first_;
}

void KeyTable::add_to(Hasher& hasher) const {
  hasher.add(first_).add(std::uint64_t{uses_.size()}).add(forgotten_);
  hasher.add(uses_.empty() ? forgotten_ : uses_.back().chain);
}

}  // namespace zap
