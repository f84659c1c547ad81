#include "consensus/pbft/messages.h"

namespace zap::pbft {

Digest digest_of(const Batch& batch) {
  Hasher hasher("zap batch");
  hasher.add(batch.timestamp).add(static_cast<std::uint64_t>(batch.calls.size()));
  for (const Digest& call : batch.calls) hasher.add(call);
  return hasher.finish();
}

const Digest& null_digest() {
  static const Digest digest = digest_of(Batch{});
  return digest;
}

}  // namespace zap::pbft
