#include "proxy/open_files.h"

#include <catch2/catch.hpp>

namespace zap {
namespace {

config::Config config_with(std::uint32_t connections, std::uint32_t app_connections) {
  config::Config config;
  config.limits.connections = connections;
  config.listeners.emplace_back().app.connections = app_connections;
  return config;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("open files: clients get what the log, the peers and the application leave") {
  const auto plenty = room_for_clients(config_with(1'000, 4), 100'000);
  REQUIRE(plenty);
  CHECK(plenty->clients == 1'000);
  CHECK(plenty->shortage.empty());

  const auto scarce = room_for_clients(config_with(1'000, 4), 1'024);
  REQUIRE(scarce);
  CHECK(scarce->clients > 0);
  CHECK(scarce->clients < 1'000);
  CHECK(contains(scarce->shortage, "limits.connections is 1000"));
  CHECK(contains(scarce->shortage, "ulimit -n"));

  const auto scarcer = room_for_clients(config_with(1'000, 104), 1'024);
  REQUIRE(scarcer);
  CHECK(scarcer->clients == scarce->clients - 100);
}

TEST_CASE("open files: where not one client would fit, a sentence says what would do") {
  const auto none = room_for_clients(config_with(1'000, 4), 256);
  REQUIRE_FALSE(none);
  CHECK(contains(none.error().message, "may open 256 files"));
  CHECK(contains(none.error().message, "LimitNOFILE"));
}

}  // namespace
}  // namespace zap
