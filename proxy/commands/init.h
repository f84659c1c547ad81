// proxy/commands/init.h - `zap-sidecar init`: the files of a whole cluster, of a newcomer, or a
// fresh certificate.

#pragma once

#include <memory>

#include "proxy/commands/command.h"

namespace zap::commands {

std::unique_ptr<Command> make_init();

}  // namespace zap::commands
