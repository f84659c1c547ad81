// tests/simulation/history.h - the one order that all correct nodes must share, as far as anyone
// has decided it: agreement, validity, exactly once, indexes without gaps, time that never goes
// back, one effect for each idempotency key, and that nothing decided is ever undone, restarts and
// lost disks included.

#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "consensus/engine.h"
#include "tests/simulation/envelope.h"
#include "tests/simulation/key_model.h"
#include "tests/simulation/marks.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/verdict.h"

namespace zap::simulation {

class History {
 public:
  /// How many correct nodes have, durably, what makes this slot decided: from Promises.
  using Committers = std::function<std::uint32_t(Seq, const Digest&)>;

  History(const Scenario& scenario, Committers committers, Verdict& verdict, Marks& marks);

  /// A correct origin's client made this call.
  void submitted(const Operation& operation, const Digest& digest);
  /// A correct place starts again, with an empty memory: it replays from the first slot.
  void restarted(Place place);
  /// A correct place writes down, then executes, a decided slot.
  void recorded(Place place, const pbft::Decided& record);
  void executed(Place place, const Decision& decision);

  /// A correct node has read this time from its wall clock.
  void clock_shows(WallTime wall) { latest_wall_ = std::max(latest_wall_, wall); }

  bool is_decided(const OperationId& id) const { return decided_ids_.count(key(id)) > 0; }
  /// The highest slot that any correct node decided.
  Seq decided() const { return slots_.size(); }
  Seq executed_by(Place place) const { return executed_[place]; }

 private:
  struct Slot {
    Digest batch;
    WallTime timestamp = 0;
    Index last_index = 0;
    Digest chain;
    bool executed = false;
    std::vector<DecidedCall> calls;
  };

  static std::uint64_t key(const OperationId& id) {
    return (std::uint64_t{id.origin} << 56) | (id.incarnation << 40) | id.number;
  }
  void first_execution(Place place, const Decision& decision);
  void check_key(Place place, Seq seq, const DecidedCall& decided);
  void fail(Place place, Seq seq, const std::string& what);

  const Scenario& scenario_;
  Committers committers_;
  Verdict& verdict_;
  Marks& marks_;

  std::vector<Slot> slots_;   ///< of slot s at s - 1
  Index last_index_ = 0;      ///< over slots_ that were executed
  KeyModel keys_;             ///< likewise
  WallTime latest_wall_ = 0;  ///< on any correct node's clock so far
  std::vector<Seq> executed_;
  std::unordered_map<std::uint64_t, Digest> submitted_;  ///< never iterated, as the others
  std::unordered_map<std::uint64_t, Seq> decided_ids_;
};

}  // namespace zap::simulation
