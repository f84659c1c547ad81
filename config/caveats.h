// config/caveats.h - what a valid configuration cannot promise, said before it matters.

#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace zap::config {

/// One sentence each, as `zap-sidecar check` prints them. `now` dates the certificate.
std::vector<std::string> caveats(const Config& config, WallTime now);

}  // namespace zap::config
