// proxy/commands/bench_command.h - `zap-sidecar bench`: the flags of bench.h.

#pragma once

#include <memory>

#include "proxy/commands/command.h"

namespace zap::commands {

std::unique_ptr<Command> make_bench();

}  // namespace zap::commands
