#include "consensus/pbft/slot.h"

#include <algorithm>

namespace zap::pbft {

bool Slot::is_prepared(NodeId leader, std::uint32_t quorum, bool count_values) const {
  if (!accepted) return false;
  std::uint32_t votes = 0;
  bool leader_voted = false;
  for (const auto& [signer, vote] : prepares) {
    if (vote.view != accepted->view) continue;
    if (count_values && vote.digest != accepted->digest) continue;
    ++votes;
    leader_voted |= signer == leader;
  }
  return leader_voted && votes >= quorum;
}

Certificate Slot::certificate(Epoch epoch, Seq seq) const {
  Certificate certificate{epoch, accepted->view, seq, accepted->digest, {}};
  for (const auto& [signer, vote] : prepares) {
    if (vote.view == accepted->view && vote.digest == accepted->digest) {
      certificate.votes.push_back({signer, vote.signature});
    }
  }
  return certificate;
}

std::optional<CommitVote> Slot::committed(std::uint32_t quorum, bool count_values) const {
  for (const auto& [signer, candidate] : commits) {
    const auto agrees = [&candidate = candidate, count_values](const auto& entry) {
      return entry.second.view == candidate.view &&
             (!count_values || entry.second.digest == candidate.digest);
    };
    if (std::count_if(commits.begin(), commits.end(), agrees) >=
        static_cast<std::ptrdiff_t>(quorum)) {
      return candidate;
    }
  }
  return std::nullopt;
}

std::optional<Digest> Slot::told(std::uint32_t one_correct) const {
  for (const auto& [teller, digest] : words) {
    const auto agrees = [&digest = digest](const auto& entry) { return entry.second == digest; };
    if (std::count_if(words.begin(), words.end(), agrees) >=
        static_cast<std::ptrdiff_t>(one_correct)) {
      return digest;
    }
  }
  return std::nullopt;
}

const BatchContent* Slot::content(const Digest& digest) const {
  const auto found = contents.find(digest);
  return found == contents.end() ? nullptr : &found->second;
}

}  // namespace zap::pbft
