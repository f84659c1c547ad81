// proxy/face/determinism_alarm.h - "the application is not deterministic: POST /orders".
//
// Raised where the copies answer a replicated call differently and no copy can be told to be wrong,
// or too few would be left. Logged at most once a minute for each method; /status shows them all.
//
// Threads: lives on the main loop.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/time.h"

namespace zap {

class DeterminismAlarm {
 public:
  /// `method` is an entry of the methods table: there are only so many.
  void raise(const std::string& method, Index index, const std::string& answers);

  /// What /status says, one sentence for each method.
  std::vector<std::string> sentences() const;
  std::size_t methods() const { return logged_.size(); }

 private:
  std::map<std::string, Instant> logged_;  ///< by method, when last
};

}  // namespace zap
