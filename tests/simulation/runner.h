// tests/simulation/runner.h - many seeds, over a few processes. A replica that stops on a failed
// check takes its process with it: the check is reported as that seed's failure.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/simulation.h"

namespace zap::simulation {

/// One seed to run, and how.
struct Job {
  std::uint64_t seed = 0;
  std::optional<Profile> profile;  ///< none: the seed chooses
  std::uint64_t events = 20'000;
  Sabotage sabotage;
};

/// Runs one job in this process; prints the whole report of a failure where `verbose`.
RunResult run_here(const Job& job, bool verbose);

/// Runs all jobs in up to `processes` child processes, and hands over each result as it comes.
/// `done` returns false when it has seen enough.
void run_all(const std::vector<Job>& jobs, unsigned processes, bool verbose,
             const std::function<bool(const Job&, const RunResult&)>& done);

}  // namespace zap::simulation
