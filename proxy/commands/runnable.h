// proxy/commands/runnable.h - what a valid configuration may ask for and this version cannot do.

#pragma once

#include <string>

#include "config/config.h"
#include "core/result.h"

namespace zap::commands {

/// The configuration in `file`. Errors are those of config::load, and one for a protocol, of the
/// cluster or of a listener, that this version does not have.
Result<config::Config> load_runnable(const std::string& file);

}  // namespace zap::commands
