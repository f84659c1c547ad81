// Any bytes as a configuration file: no crash, and every error names the file.

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "config/load.h"
#include "core/check.h"

namespace {

const std::filesystem::path& file() {
  static const auto path = [] {
    auto folder =
        std::filesystem::temp_directory_path() / ("zap-fuzz-config-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    std::atexit([] { std::filesystem::remove_all(file().parent_path()); });
    return folder / "node1.yaml";
  }();
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::ofstream(file(), std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  const auto loaded = zap::config::load(file());
  if (loaded) return 0;
  ZAP_CHECK(loaded.error().message.starts_with(file().string() + ":"),
            "an error does not say where: " << loaded.error().message);
  return 0;
}
