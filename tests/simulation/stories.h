// tests/simulation/stories.h - planted bugs that chance does not meet: each is a story written for
// it, which a correct replica passes and the broken one visibly fails.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "consensus/pbft/settings.h"

namespace zap::simulation {

struct Story {
  std::string_view name;  ///< of the switch in Policy
  void (*plant)(pbft::Policy& policy);
  /// What went wrong; empty: nothing.
  std::string (*play)(const pbft::Policy& policy);
};

const std::vector<Story>& stories();

/// Plays each with its rule broken and with all rules kept; names on standard output what each
/// broken rule did. False where one goes unnoticed, or a correct replica fails.
bool all_stories_end_as_they_must();

}  // namespace zap::simulation
