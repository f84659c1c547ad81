#include "store/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace zap::store {

Error io_error(const std::string& what) {
  return Error{ErrorCode::kIo, what + ": " + std::generic_category().message(errno)};
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return io_error("cannot open folder " + folder.string());
  const bool synced = ::fsync(descriptor) == 0;
  const Error error = io_error("cannot sync folder " + folder.string());
  ::close(descriptor);
  if (!synced) return error;
  return {};
}

}  // namespace zap::store
