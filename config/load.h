// config/load.h - a configuration file, read and checked.
//
// Any thread; touches no file but the configuration and the key and certificates that it names.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/result.h"

namespace zap::config {

/// The error's message has one line for each thing that is wrong, all of them, in the file's order:
/// "file:line:column: what is wrong; what would be right".
Result<Config> load(const std::filesystem::path& file);

}  // namespace zap::config
