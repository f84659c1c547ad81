// tests/simulation/simulation.h - one run: a scenario played to its end, under the checkers' eyes.
//
// First the faults, for three fifths of the events; then a calm end, in which every call of a
// correct origin that stays up must be decided, and all correct nodes must come to hold the same.
// Byzantine replicas go on lying through it: they are within the model.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/faults.h"
#include "tests/simulation/process.h"

namespace zap::simulation {

struct RunResult {
  std::string failure;      ///< empty: all is well
  std::uint64_t trace = 0;  ///< two runs are the same run exactly when this is equal
  std::uint64_t events = 0;
  Seq slots = 0;
  Duration recovery{};  ///< from the calm to the end, where all is decided everywhere
  Marks marks;
};

class Simulation {
 public:
  Simulation(Scenario scenario, const Sabotage& sabotage);

  RunResult run();

  /// For a person: the failure, the diagram of the last messages, two replicas' states, and how
  /// to see it again.
  std::string report(const std::string& failure) const;
  const Scenario& scenario() const { return scenario_; }

 private:
  static constexpr Duration kRecoveryMax = std::chrono::seconds(60);
  /// From there until every correct node votes in one view.
  static constexpr Duration kReturnMax = std::chrono::seconds(120);
  /// How long one that has rightly stopped is watched.
  static constexpr Duration kHaltedFor = std::chrono::seconds(5);

  void begin();
  void plan_client(Place place);
  void wait_for_recovery();
  void wait_for_votes();
  template <typename Done>
  bool run_until(Instant late, Done done);
  bool has_recovered() const;
  bool all_vote() const;
  bool must_recover() const;
  std::string what_is_missing() const;

  const Scenario scenario_;
  Random random_;
  Scheduler scheduler_;
  Verdict verdict_;
  Marks marks_;
  const test::FakeKeys keys_;
  const Gate gate_;
  Promises promises_;
  History history_;
  Trace trace_;
  Conspiracy conspiracy_;
  std::vector<std::unique_ptr<Process>> processes_;
  Network network_;
  World world_;
  Faults faults_;
  std::uint64_t calls_left_;
  Instant recovered_;
};

}  // namespace zap::simulation
