// config/file.h - small files, whole: read with a limit, written with a mode.

#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"

namespace zap::config {

/// Key, certificate and configuration files are never larger.
inline constexpr std::size_t kFileBytesMax = 1'000'000;

Result<std::string> read_file(const std::filesystem::path& file);

/// Creates `file` with `mode`, synced to disk; refuses one that is there already.
Result<void> write_new_file(const std::filesystem::path& file, std::string_view contents,
                            mode_t mode);

/// Puts `contents` in the place of an existing file, in one step: a crash leaves the old or the
/// new.
Result<void> replace_file(const std::filesystem::path& file, std::string_view contents,
                          mode_t mode);

}  // namespace zap::config
