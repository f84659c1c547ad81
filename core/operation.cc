#include "core/operation.h"

namespace zap {

namespace {

std::string_view tag_of(OperationKind kind) {
  switch (kind) {
    case OperationKind::kCall:
      return "zap operation";
    case OperationKind::kBarrier:
      return "zap barrier";
    case OperationKind::kOrderedRead:
      return "zap ordered read";
  }
  return {};
}

}  // namespace

/// A call without a key hashes nothing for it.
Digest digest_of(const Operation& operation) {
  Hasher hasher(operation.once ? "zap keyed operation" : tag_of(operation.kind));
  if (operation.once) {
    hasher.add(static_cast<std::uint64_t>(operation.kind));
    hasher.add(operation.once->key).add(operation.once->fingerprint);
  }
  return hasher.add(operation.id.origin)
      .add(operation.id.incarnation)
      .add(operation.id.number)
      .add(operation.deadline)
      .add(std::string_view(operation.listener))
      .add(std::string_view(operation.method))
      .add(operation.payload.view())
      .finish();
}

Index last_applied(const Decision& decision) {
  Index last = 0;
  for (const DecidedCall& call : decision.calls) {
    if (call.outcome == Outcome::kApplied) last = call.index;
  }
  return last;
}

}  // namespace zap
