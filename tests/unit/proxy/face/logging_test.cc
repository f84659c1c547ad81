#include "proxy/face/logging.h"

#include <catch2/catch.hpp>

using namespace zap;

TEST_CASE("logging: text shows the event, then names and values") {
  CHECK(format_log_line(LogFormat::kText, LogLevel::kInfo, "peer up",
                        {{"peer", "node2"}, {"tries", 3}, {"tls", true}}) ==
        "info peer up peer=node2 tries=3 tls=true");
}

TEST_CASE("logging: text that could be taken for something else is quoted and escaped") {
  CHECK(format_log_line(LogFormat::kText, LogLevel::kError, "stopped",
                        {{"reason", "disk full\nerror faked=1"}, {"path", ""}}) ==
        "error stopped reason=\"disk full\\nerror faked=1\" path=\"\"");
  CHECK(format_log_line(LogFormat::kText, LogLevel::kInfo, "x", {{"bytes", "\xff\x1b[2J"}})
            .find('\x1b') == std::string::npos);
}

TEST_CASE("logging: json has one member a field, numbers as numbers") {
  CHECK(format_log_line(LogFormat::kJson, LogLevel::kWarning, "slow \"peer\"",
                        {{"peer", "node2"}, {"seconds", 0.5}, {"term", 7u}}) ==
        "\"level\":\"warning\",\"event\":\"slow \\\"peer\\\"\","
        "\"peer\":\"node2\",\"seconds\":0.5,\"term\":7");
}
