// Any body and any path: no crash, and what is ignored once has nothing more to ignore. The first
// line is the path, the rest the body.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/http/json.h"
#include "core/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(input.find('\n'), size);
  const std::vector<std::string> paths = {std::string(input.substr(0, line))};
  const std::string once = zap::http::json_without(input.substr(line), paths);
  ZAP_CHECK(zap::http::json_without(once, paths) == once, "not settled: " << once);
  return 0;
}
