// tests/simulation/planted_bugs.h - the harness proves itself: every rule that a Sabotage can break
// is broken here, and the checkers must notice.

#pragma once

#include <string_view>
#include <vector>

#include "tests/simulation/runner.h"

namespace zap::simulation {

struct PlantedBug {
  std::string_view name;  ///< of the switch in Policy or Sabotage
  void (*plant)(Sabotage& sabotage);
  Profile profile;                   ///< where it is likely to show
  std::vector<std::uint64_t> seeds;  ///< recorded: at most 20, of which one at least fails
};

const std::vector<PlantedBug>& planted_bugs();

/// Runs the recorded seeds; false, and names on standard output, where a bug goes unnoticed.
bool all_planted_bugs_are_caught(unsigned processes);

/// Looks for seeds that catch each bug (or the one of this name), and prints lists to record.
void search_planted_bugs(std::string_view only, unsigned processes);

}  // namespace zap::simulation
