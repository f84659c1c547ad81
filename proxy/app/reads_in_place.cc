#include "proxy/app/reads_in_place.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "proxy/net/event_loop.h"

namespace zap {

void ReadsInPlace::run(PlacedReadsPtr reads) {
  struct Running {
    PlacedReadsPtr reads;
    PlacedAnswers answers;
    std::size_t open;
  };
  ++running_;
  const std::size_t count = reads->reads.size();
  const auto running = std::make_shared<Running>(Running{reads, PlacedAnswers(count), count});
  const Now now = read_clocks();
  const Duration left(reads->barrier->operation.deadline - now.wall);
  const Instant deadline = now.instant + std::clamp(left, Duration{}, limits::kReadInPlaceTime);
  for (std::size_t i = 0; i < count; ++i) {
    lanes_.add({.payload = reads->reads[i].payload,
                .deadline = deadline,
                .comparison = reads->reads[i].comparison,
                .in_place = true,
                .done = [this, running, i](Result<Reply> reply) {
                  if (reply) running->answers[i] = std::move(*reply);
                  if (--running->open > 0) return;
                  --running_;
                  done_(*running->reads, std::move(running->answers));
                }});
  }
}

}  // namespace zap
