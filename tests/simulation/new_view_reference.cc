#include "tests/simulation/new_view_reference.h"

#include <algorithm>

namespace zap::simulation {

ReferenceNewView reference_new_view(const std::vector<pbft::ViewChange>& view_changes) {
  Seq lowest = 0;
  for (const pbft::ViewChange& change : view_changes) lowest = std::max(lowest, change.stable.seq);

  ReferenceNewView reference;
  std::map<Seq, const pbft::Certificate*> chosen;
  for (const pbft::ViewChange& change : view_changes) {
    for (const pbft::Certificate& certificate : change.prepared) {
      if (certificate.seq <= lowest) continue;
      const pbft::Certificate*& best = chosen[certificate.seq];
      if (best && best->digest != certificate.digest) reference.had_choice = true;
      if (!best || certificate.view > best->view) best = &certificate;
    }
  }
  if (chosen.empty()) return reference;
  for (Seq seq = lowest + 1; seq <= chosen.rbegin()->first; ++seq) {
    const auto found = chosen.find(seq);
    reference.order[seq] = found == chosen.end() ? pbft::null_digest() : found->second->digest;
  }
  return reference;
}

}  // namespace zap::simulation
