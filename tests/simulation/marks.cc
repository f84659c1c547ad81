#include "tests/simulation/marks.h"

namespace zap::simulation {

std::string_view to_string(Mark mark) {
  static constexpr std::string_view kNames[] = {
      "null request decided",
      "new view",
      "new view proposes again",
      "new view chooses among certificates of one slot",
      "view change during a view change",
      "checkpoint stable",
      "proof of a stable checkpoint sent",
      "decided digests sent",
      "batches fetched",
      "calls fetched",
      "calls forwarded",
      "equivocation seen",
      "amnesia entered",
      "amnesia left",
      "messages shown to a returning replica",
      "restart",
      "restart in a view change",
      "crash within a step",
      "unsynced records lost",
      "synced records lost",
      "corrupt record found",
      "forgery refused",
      "duplicate decided",
      "expired call decided",
      "void call decided",
      "key repeated",
      "key used for another request",
      "key forgotten",
      "barrier decided",
      "application behind",
      "room exhausted",
      "clock jump",
      "pause",
      "partition",
  };
  static_assert(std::size(kNames) == static_cast<std::size_t>(Mark::kCount));
  return kNames[static_cast<std::size_t>(mark)];
}

}  // namespace zap::simulation
