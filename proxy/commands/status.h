// proxy/commands/status.h - `zap-sidecar status`, `health` and `leader show`: what a running node
// says of itself on its admin address.

#pragma once

#include <memory>

#include "proxy/commands/command.h"

namespace zap::commands {

std::unique_ptr<Command> make_status();
std::unique_ptr<Command> make_health();
std::unique_ptr<Command> make_leader_show();

}  // namespace zap::commands
