// tests/simulation/trace.h - what happened: a running hash of all of it, and the last of it in
// full, for the message sequence diagram of a run that failed.

#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "tests/simulation/envelope.h"
#include "tests/simulation/random.h"

namespace zap::simulation {

class Trace {
 public:
  explicit Trace(std::size_t places) : places_(places) {}

  void delivered(Instant when, Place from, Place to, const EnvelopePtr& envelope);
  void happened(Instant when, Place where, std::string what);

  /// Equal for two runs exactly when they are the same run.
  std::uint64_t hash() const { return hash_; }
  /// One column a place, time going down, the newest last.
  std::string diagram() const;

 private:
  static constexpr std::size_t kKept = 100;

  struct Entry {
    Instant when;
    Place from = 0;
    Place to = 0;
    EnvelopePtr envelope;  ///< none: `what` happened at `from`
    std::string what;
  };

  void keep(Entry entry);

  const std::size_t places_;
  std::uint64_t hash_ = 0;
  std::deque<Entry> last_;
};

}  // namespace zap::simulation
