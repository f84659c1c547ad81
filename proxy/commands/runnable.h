// proxy/commands/runnable.h - what a valid configuration may ask for and this version cannot do.

#pragma once

#include "config/config.h"
#include "core/result.h"

namespace zap::commands {

/// An error for a protocol, of the cluster or of a listener, that this version does not have.
Result<void> runnable(const config::Config& config);

}  // namespace zap::commands
