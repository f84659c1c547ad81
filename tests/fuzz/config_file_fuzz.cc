// Any bytes as a configuration file: no crash, and every error names the file.

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "config/load.h"
#include "core/check.h"

namespace {

/// A folder of this process's own, gone with it.
struct Folder {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("zap-fuzz-config-" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  const std::filesystem::path file = folder.path / "node1.yaml";
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  const auto loaded = zap::config::load(file);
  if (loaded) return 0;
  ZAP_CHECK(loaded.error().message.starts_with(file.string() + ":"),
            "an error does not say where: " << loaded.error().message);
  return 0;
}
