#include "proxy/log/decision_cursor.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "core/check.h"
#include "proxy/log/stored_record.h"

namespace zap {
namespace {

constexpr std::uint32_t kNeeded = kind_bit(RecordKind::kAccepted) | kind_bit(RecordKind::kDecided) |
                                  kind_bit(RecordKind::kStableCheckpoint) |
                                  kind_bit(RecordKind::kFounding);

std::size_t payload_bytes(const Decision& decision) {
  std::size_t bytes = 0;
  for (const DecidedCall& decided : decision.calls) {
    bytes += decided.call->operation.payload.size();
  }
  return bytes;
}

}  // namespace

Result<std::vector<Decision>> DecisionCursor::read(Index first, std::size_t bytes) {
  ZAP_CHECK(first >= next_, "index " << first << " is behind the cursor at " << next_);
  std::vector<Decision> decisions;
  std::size_t gathered = 0;
  while (gathered < bytes || decisions.empty()) {
    const Result<std::vector<store::StoredRecord>> stored =
        log_.read({.from = position_, .kinds = kNeeded});
    if (!stored) return stored.error();
    if (stored->empty()) break;
    for (const store::StoredRecord& next : *stored) {
      Result<Record> record = from_log_record(next.record);
      if (!record) return record.error();
      Result<std::optional<Decision>> executed = restorer_.add(std::move(*record));
      if (!executed) return executed.error();
      position_ = next.position + 1;
      const Index last = *executed ? last_applied(**executed) : 0;
      if (last == 0) continue;
      next_ = last + 1;
      if (next_ <= first) continue;
      gathered += payload_bytes(**executed);
      decisions.push_back(std::move(**executed));
      if (gathered >= bytes) break;
    }
  }
  return decisions;
}

}  // namespace zap
