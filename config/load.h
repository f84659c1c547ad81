// config/load.h - a configuration file, read and checked.
//
// Any thread; touches no file but the configuration and the key and certificates that it names.

#pragma once

#include <filesystem>
#include <string>

#include "config/config.h"
#include "core/result.h"

namespace zap::config {

/// The error's message has one line for each thing that is wrong, all of them, in the file's order:
/// "file:line:column: what is wrong; what would be right".
Result<Config> load(const std::filesystem::path& file);

/// The same for text that is in memory already; `file` names it and is what its paths start from.
Result<Config> parse(const std::string& text, const std::filesystem::path& file);

}  // namespace zap::config
