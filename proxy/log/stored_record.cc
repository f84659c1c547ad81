#include "proxy/log/stored_record.h"

#include <string>
#include <type_traits>
#include <variant>

#include "consensus/wire/codec.h"

namespace zap {
namespace {

using namespace pbft;

template <RecordKind kind, typename T>
inline constexpr bool kStands =
    std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(kind), Record>, T>;
static_assert(kStands<RecordKind::kAccepted, Accepted> &&
                  kStands<RecordKind::kPrepared, Certificate> &&
                  kStands<RecordKind::kDecided, Decided> &&
                  kStands<RecordKind::kViewChange, ViewChange> &&
                  kStands<RecordKind::kNewView, NewView> &&
                  kStands<RecordKind::kStableCheckpoint, StableCheckpoint> &&
                  kStands<RecordKind::kFounding, Founding>,
              "a record's kind is its place in Record");

struct SlotOf {
  Seq operator()(const Accepted& record) const { return record.content.seq; }
  Seq operator()(const Certificate& record) const { return record.seq; }
  Seq operator()(const Decided& record) const { return record.content.seq; }
  Seq operator()(const ViewChange&) const { return 0; }
  Seq operator()(const NewView&) const { return 0; }
  Seq operator()(const StableCheckpoint& record) const { return record.seq; }
  Seq operator()(const Founding&) const { return 0; }
};

struct VoteOf {
  store::Vote operator()(const Accepted& record) const { return {record.view, record.content.seq}; }
  store::Vote operator()(const Certificate& record) const { return {record.view, record.seq}; }
  store::Vote operator()(const Decided&) const { return {}; }
  store::Vote operator()(const ViewChange& record) const { return {record.view, 0}; }
  store::Vote operator()(const NewView& record) const { return {record.view, 0}; }
  store::Vote operator()(const StableCheckpoint&) const { return {}; }
  store::Vote operator()(const Founding&) const { return {}; }
};

}  // namespace

Seq slot_of(const Record& record) { return std::visit(SlotOf{}, record); }

store::Vote vote_of(const Record& record) { return std::visit(VoteOf{}, record); }

store::LogRecord to_log_record(const Record& record) {
  return {static_cast<std::uint8_t>(record.index()), slot_of(record), wire::encode_record(record)};
}

Result<Record> from_log_record(const store::LogRecord& stored) {
  Result<Record> record = wire::decode_record(stored.body);
  if (!record) return Error{ErrorCode::kCorrupt, record.error().message};
  if (record->index() != stored.kind || slot_of(*record) != stored.seq) {
    return Error{ErrorCode::kCorrupt, "says kind " + std::to_string(stored.kind) + " of slot " +
                                          std::to_string(stored.seq) + " and holds kind " +
                                          std::to_string(record->index()) + " of slot " +
                                          std::to_string(slot_of(*record))};
  }
  return record;
}

}  // namespace zap
