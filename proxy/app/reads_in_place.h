// proxy/app/reads_in_place.h - the reads of barriers, at their place in the order.
//
// A barrier's reads run on the connections of all reads, side by side, after the call before it was
// answered; the applier gives no further call until they are. Barriers that follow one another run
// together: nothing changes between them.
//
// Threads: lives on the applier's loop.

#pragma once

#include <cstddef>
#include <functional>

#include "proxy/app/app_reads.h"
#include "proxy/app/placed_reads.h"

namespace zap {

class ReadsInPlace {
 public:
  /// `done` hears of each barrier once.
  using Done = std::function<void(const PlacedReads& reads, PlacedAnswers answers)>;
  ReadsInPlace(AppReads& lanes, Done done) : lanes_(lanes), done_(std::move(done)) {}

  void run(PlacedReadsPtr reads);
  /// No call may be given to the application.
  bool running() const { return running_ > 0; }

 private:
  AppReads& lanes_;
  const Done done_;
  std::size_t running_ = 0;  ///< barriers
};

}  // namespace zap
