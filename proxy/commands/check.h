// proxy/commands/check.h - `zap-sidecar check`: whether a configuration is valid, what each call
// is under it, and what it cannot promise.

#pragma once

#include <memory>

#include "proxy/commands/command.h"

namespace zap::commands {

std::unique_ptr<Command> make_check();

}  // namespace zap::commands
