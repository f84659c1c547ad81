#include "tests/simulation/key_model.h"

#include <numeric>

#include "consensus/key_table.h"

namespace zap::simulation {

void KeyModel::slot_begins(WallTime agreed) {
  now_ = agreed;
  while (!used_.empty() && used_.front().at + limits_.keep.count() < now_) forget_oldest();
}

std::optional<DecidedCall> KeyModel::find(const OnceKey& once) const {
  for (const Used& used : used_) {
    if (used.once.key != once.key) continue;
    const bool same = used.once.fingerprint == once.fingerprint;
    return DecidedCall{.outcome = same ? Outcome::kRepeated : Outcome::kKeyReused,
                       .index = used.index};
  }
  return std::nullopt;
}

void KeyModel::applied(const Operation& operation, Index index) {
  used_.push_back({*operation.once, index, now_, KeyTable::kUseBytes + operation.payload.size()});
  const auto bytes = [this] {
    return std::accumulate(used_.begin(), used_.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Used& used) { return sum + used.bytes; });
  };
  while (used_.size() > limits_.entries || bytes() > limits_.bytes) forget_oldest();
}

void KeyModel::forget_oldest() {
  used_.pop_front();
  ++forgotten_;
}

}  // namespace zap::simulation
