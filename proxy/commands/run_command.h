// proxy/commands/run_command.h - `zap-sidecar run`: reads the configuration, then hands the thread
// to proxy/run.h.

#pragma once

#include <memory>

#include "proxy/commands/command.h"

namespace zap::commands {

std::unique_ptr<Command> make_run();

}  // namespace zap::commands
