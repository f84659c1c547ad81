// proxy/log/stored_record.h - the engine's records as the log keeps them.
//
// The store knows no protocol, the engine no bytes: a record's kind and slot stand beside its
// encoding, so that the log is searched without decoding it. docs/formats/log.md lists the kinds.

#pragma once

#include <cstdint>

#include "consensus/engine.h"
#include "core/result.h"
#include "store/log.h"

namespace zap {

/// Never renumbered: they lie on disks.
enum class RecordKind : std::uint8_t {
  kAccepted = 0,
  kPrepared = 1,
  kDecided = 2,
  kViewChange = 3,
  kNewView = 4,
  kStableCheckpoint = 5,
  kFounding = 6,
};

/// For LogQuery::kinds.
constexpr std::uint32_t kind_bit(RecordKind kind) {
  return std::uint32_t{1} << static_cast<std::uint8_t>(kind);
}

store::LogRecord to_log_record(const Record& record);
/// kCorrupt where the bytes are no record, or another than kind and slot say.
Result<Record> from_log_record(const store::LogRecord& stored);

/// The slot that a record is about; 0: none.
Seq slot_of(const Record& record);
/// What this node has voted for by writing the record.
store::Vote vote_of(const Record& record);

}  // namespace zap
