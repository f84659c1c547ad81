// tests/simulation/verdict.h - the first thing that went wrong in a run. Checkers write it, the
// run ends on it.

#pragma once

#include <optional>
#include <string>

namespace zap::simulation {

class Verdict {
 public:
  void fail(std::string what) {
    if (!failure_) failure_ = std::move(what);
  }
  bool failed() const { return failure_.has_value(); }
  /// Empty where all is well.
  std::string failure() const { return failure_.value_or(""); }

 private:
  std::optional<std::string> failure_;
};

}  // namespace zap::simulation
