#include "proxy/answers/answer_votes.h"

#include <algorithm>

namespace zap {

bool AnswerVotes::add(NodeId node, const std::optional<Digest>& compared) {
  if (has_voted(node)) return false;
  votes_.push_back({node, compared});
  return true;
}

bool AnswerVotes::has_voted(NodeId node) const {
  return std::any_of(votes_.begin(), votes_.end(),
                     [&](const Vote& vote) { return vote.node == node; });
}

std::size_t AnswerVotes::to_come(std::uint32_t nodes, const std::vector<NodeId>& mute) const {
  const auto silent = static_cast<std::size_t>(
      std::count_if(mute.begin(), mute.end(), [&](NodeId node) { return !has_voted(node); }));
  const std::size_t heard = votes_.size() + silent;
  return heard < nodes ? nodes - heard : 0;
}

Verdict AnswerVotes::verdict(const Quorum& quorum, std::size_t to_come) const {
  const std::uint32_t enough = quorum.one_correct();
  std::uint32_t most = 0;
  std::uint32_t lost = 0;
  for (const Vote& vote : votes_) {
    if (!vote.compared) {
      ++lost;
    } else if (most < enough) {
      most = std::max(most, count(*vote.compared));
    }
  }
  if (most >= enough) return Verdict::kAgreed;
  if (most + to_come >= enough) return Verdict::kOpen;
  return most + to_come + lost >= enough ? Verdict::kLost : Verdict::kDiffer;
}

const Digest* AnswerVotes::given_by(std::uint32_t enough) const {
  for (const Vote& vote : votes_) {
    if (vote.compared && count(*vote.compared) >= enough) return &*vote.compared;
  }
  return nullptr;
}

bool AnswerVotes::differ() const {
  const Digest* first = given_by(1);
  return std::any_of(votes_.begin(), votes_.end(),
                     [&](const Vote& vote) { return vote.compared && *vote.compared != *first; });
}

std::vector<NodeId> AnswerVotes::who_gave(const Digest& compared) const {
  std::vector<NodeId> nodes;
  for (const Vote& vote : votes_) {
    if (vote.compared == compared) nodes.push_back(vote.node);
  }
  return nodes;
}

std::vector<AnswerVotes::Vote> AnswerVotes::take_dissenters(const Digest& agreed) {
  std::vector<Vote> dissenters;
  for (Vote& vote : votes_) {
    if (vote.taken || !vote.compared || *vote.compared == agreed) continue;
    vote.taken = true;
    dissenters.push_back(vote);
  }
  return dissenters;
}

std::uint32_t AnswerVotes::count(const Digest& compared) const {
  return static_cast<std::uint32_t>(std::count_if(
      votes_.begin(), votes_.end(), [&](const Vote& vote) { return vote.compared == compared; }));
}

}  // namespace zap
