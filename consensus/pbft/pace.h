// consensus/pbft/pace.h - does the leader order our calls as fast as leaders can?
//
// A leader that orders every call just before its timer fires would keep its view for ever, at a
// hundredth of the speed. So what is asked of it rises (Clement et al., Aardvark, NSDI'09): at
// first half of round_timeout, then less and less, until somebody else leads; and once enough views
// were measured to know that a correct replica led one, a third of the best of them.
//
// Aardvark measures throughput, which falls with the load. Here it is the mean time that a call
// waits, and of our own calls alone: those the leader certainly has, since we sent them
// (docs/decisions/slow_leaders.md).

#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "core/time.h"

namespace zap::pbft {

class Pace {
 public:
  /// `enough_views`, one after the other, have at least one correct leader.
  Pace(Duration round_timeout, Duration election_timeout, std::size_t enough_views)
      : round_timeout_(round_timeout),
        election_timeout_(election_timeout),
        enough_views_(enough_views) {}

  /// For so long, calls of ours waited and nobody but the leader could be blamed.
  void waited(Duration time);
  /// A call of ours was decided after so long.
  void decided(Duration wait);
  void end_view();

  bool is_too_slow() const { return too_slow_; }
  /// The longest mean wait that is good enough now.
  Duration demand() const;

 private:
  struct Period {
    Duration busy{};   ///< time in which calls waited
    Duration waits{};  ///< sum over the decided calls
    Duration::rep calls = 0;
  };

  const Duration round_timeout_;
  const Duration election_timeout_;
  const std::size_t enough_views_;

  Duration busy_{};  ///< in this view
  Period period_;
  std::optional<Duration> mean_;  ///< of this view's last whole period
  bool too_slow_ = false;
  std::deque<Duration> past_;  ///< means of the last views
};

}  // namespace zap::pbft
