#include "config/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace zap::config {
namespace {

Error refused(const char* what, const std::filesystem::path& file) {
  const ErrorCode code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  return {code, "cannot " + std::string(what) + " " + file.string() + ": " + std::strerror(errno)};
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return refused("read", file);
  std::string contents(kFileBytesMax + 1, '\0');
  stream.read(contents.data(), static_cast<std::streamsize>(contents.size()));
  if (stream.bad() || errno == EISDIR) return refused("read", file);
  contents.resize(static_cast<std::size_t>(stream.gcount()));
  if (contents.size() > kFileBytesMax) {
    return Error{ErrorCode::kTooLarge,
                 file.string() + " has more than " + std::to_string(kFileBytesMax) + " bytes"};
  }
  return contents;
}

Result<void> write_new_file(const std::filesystem::path& file, std::string_view contents,
                            mode_t mode) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) return refused("create", file);
  bool written = ::fchmod(descriptor, mode) == 0;  // whatever the umask is
  while (written && !contents.empty()) {
    const ssize_t count = ::write(descriptor, contents.data(), contents.size());
    if (count < 0 && errno == EINTR) continue;
    written = count > 0;
    if (written) contents.remove_prefix(static_cast<std::size_t>(count));
  }
  written = written && ::fsync(descriptor) == 0;
  const Error error = written ? Error{} : refused("write", file);
  ::close(descriptor);
  if (!written) return error;
  return {};
}

Result<void> replace_file(const std::filesystem::path& file, std::string_view contents,
                          mode_t mode) {
  std::filesystem::path fresh = file;
  fresh += ".new";
  ::unlink(fresh.c_str());
  if (auto written = write_new_file(fresh, contents, mode); !written) return written;
  if (::rename(fresh.c_str(), file.c_str()) != 0) return refused("replace", file);
  return {};
}

}  // namespace zap::config
