#include "proxy/reads/freshness.h"

#include <algorithm>
#include <vector>

namespace zap {
namespace {

/// A node that is far behind waits for the oldest of its rounds, and the newest: more say nothing.
constexpr std::size_t kRounds = 16;
/// An application may be minutes behind: when there are so many points, the older ones are thinned.
constexpr std::size_t kPoints = 128;

}  // namespace

void Freshness::said(NodeId from, Seq prepared, Seq own_prepared, Instant now) {
  words_[from] = {now, prepared};
  const std::size_t others = quorum_.size() - 1;
  if (words_.size() < others) return;
  std::vector<Word> newest;
  for (const auto& [node, word] : words_) newest.push_back(word);
  std::sort(newest.begin(), newest.end(), [](const Word& a, const Word& b) { return a.at > b.at; });
  newest.resize(others);

  Round round{.at = newest.back().at, .prepared = own_prepared};
  for (const Word& word : newest) round.prepared = std::max(round.prepared, word.prepared);
  if (rounds_.size() == kRounds) rounds_.pop_back();
  rounds_.push_back(round);
  decided(decided_, last_index_);
}

void Freshness::decided(Seq seq, Index last_index) {
  decided_ = seq;
  last_index_ = last_index;
  while (!rounds_.empty() && rounds_.front().prepared <= decided_) {
    const Point point{rounds_.front().at, last_index_};
    rounds_.pop_front();
    if (!points_.empty() && points_.back().index == point.index) points_.pop_back();
    points_.push_back(point);
  }
  if (points_.size() < kPoints) return;
  std::deque<Point> thinned;
  for (std::size_t i = 1; i < points_.size(); i += 2) thinned.push_back(points_[i]);
  points_ = std::move(thinned);
}

Instant Freshness::as_of(Index applied) const {
  const auto newest = std::find_if(points_.rbegin(), points_.rend(),
                                   [&](const Point& point) { return point.index <= applied; });
  return newest == points_.rend() ? Instant{} : newest->at;
}

}  // namespace zap
