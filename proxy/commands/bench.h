// proxy/commands/bench.h - `zap-sidecar bench`: load at listeners, with a progress line; then
// throughput, latency percentiles and errors.

#pragma once

#include <memory>

#include "proxy/commands/command.h"

namespace zap::commands {

std::unique_ptr<Command> make_bench();

}  // namespace zap::commands
