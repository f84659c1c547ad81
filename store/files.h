// store/files.h - the few things asked of the file system beside SQLite.

#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"

namespace zap::store {

/// kIo, naming what failed and the system's reason (errno).
Error io_error(const std::string& what);

/// Makes the names in a folder durable: files created, renamed, removed.
Result<void> sync_folder(const std::filesystem::path& folder);

}  // namespace zap::store
