#include "proxy/log/log_serving.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/limits.h"
#include "proxy/log/stored_record.h"

namespace zap {
namespace {

constexpr std::size_t kAnswerBytes = 1'000'000;

std::size_t payload_bytes(const pbft::BatchContent& content) {
  std::size_t bytes = 0;
  for (const CallPtr& call : content.calls) bytes += call->operation.payload.size();
  return bytes;
}

bool is_complete(const pbft::BatchContent& content) {
  return content.calls.size() == content.batch.calls.size();
}

/// Calls visit(record) for every record of one kind about the slots, until it answers false.
template <typename T, typename Visit>
Result<void> for_each(store::Log& log, RecordKind kind, Seq first, Seq last, const Visit& visit) {
  store::LogQuery query{.first_seq = first, .last_seq = last, .kinds = kind_bit(kind)};
  for (;;) {
    const Result<std::vector<store::StoredRecord>> found = log.read(query);
    if (!found) return found.error();
    if (found->empty()) return {};
    for (const store::StoredRecord& stored : *found) {
      Result<Record> record = from_log_record(stored.record);
      if (!record) return record.error();
      if (!visit(std::get<T>(std::move(*record)))) return {};
      query.from = stored.position + 1;
    }
  }
}

struct DecidedSlot {
  Digest digest;
  pbft::BatchContent content;  ///< without its calls where an Accepted record has them
};

Result<std::map<Seq, DecidedSlot>> decided_slots(store::Log& log, Seq first, Seq last) {
  std::map<Seq, DecidedSlot> slots;
  std::size_t bytes = 0;
  const Result<void> read =
      for_each<pbft::Decided>(log, RecordKind::kDecided, first, last, [&](pbft::Decided record) {
        bytes += payload_bytes(record.content);
        const Seq seq = record.content.seq;
        slots[seq] = {record.digest, std::move(record.content)};
        return bytes < kAnswerBytes;
      });
  if (!read) return read.error();
  return slots;
}

Message digests_of(const std::map<Seq, DecidedSlot>& slots) {
  pbft::DecidedDigests answer{slots.begin()->first, {}};
  for (const auto& [seq, slot] : slots) answer.digests.push_back(slot.digest);
  return answer;
}

Result<Message> contents_of(store::Log& log, std::map<Seq, DecidedSlot> slots) {
  pbft::Batches answer;
  std::size_t bytes = 0;
  const auto take = [&](pbft::BatchContent content) {
    bytes += payload_bytes(content);
    answer.contents.push_back(std::move(content));
  };
  const Seq first = slots.begin()->first;
  const Seq last = slots.rbegin()->first;
  for (auto slot = slots.begin(); slot != slots.end();) {
    const bool complete = is_complete(slot->second.content);
    if (complete) take(std::move(slot->second.content));
    slot = complete ? slots.erase(slot) : std::next(slot);
  }
  const auto fill = [&](pbft::Accepted record) {
    const auto slot = slots.find(record.content.seq);
    if (slot != slots.end() && slot->second.digest == record.digest &&
        is_complete(record.content)) {
      take(std::move(record.content));
      slots.erase(slot);
    }
    return !slots.empty() && bytes < kAnswerBytes;
  };
  if (!slots.empty() && bytes < kAnswerBytes) {
    const Result<void> read =
        for_each<pbft::Accepted>(log, RecordKind::kAccepted, first, last, fill);
    if (!read) return read.error();
  }
  return Message(std::move(answer));
}

}  // namespace

Result<Message> answer_from_log(store::Log& log, const Serve& request) {
  const Seq last = std::min(request.last, request.first + limits::kSlotsPerMessage - 1);
  Result<std::map<Seq, DecidedSlot>> slots = decided_slots(log, request.first, last);
  if (!slots) return slots.error();
  if (slots->empty()) {
    return Error{ErrorCode::kNotFound, "the log holds none of slots " +
                                           std::to_string(request.first) + " to " +
                                           std::to_string(last)};
  }
  if (request.what == Serve::What::kDigests) return digests_of(*slots);
  return contents_of(log, std::move(*slots));
}

}  // namespace zap
