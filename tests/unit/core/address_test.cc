#include "core/address.h"

#include <catch2/catch.hpp>

namespace zap {

TEST_CASE("an address reads back as it was written") {
  for (const char* text : {"127.0.0.1:8081", "[::1]:65535", "db.example:1", "unix:/run/app.sock"}) {
    const auto address = parse_address(text);
    REQUIRE(address);
    CHECK(to_string(*address) == text);
  }
  CHECK(parse_address("[::1]:80")->host == "::1");
  CHECK(parse_address("unix:/a")->is_unix());
}

TEST_CASE("what is no address says why") {
  const auto why = [](const std::string& text) { return parse_address(text).error().message; };
  CHECK(why("8081") == "'8081' is not an address: it names no port; write host:port or unix:/path");
  CHECK(why("a:0") ==
        "'a:0' is not an address: a port is a number from 1 to 65535; write host:port "
        "or unix:/path");
  for (const char* text : {"a:65536", "a:", "a:1x", ":80", "::1:80", "unix:relative", "unix:", "",
                           "http://a:80", "a b:80"}) {
    CHECK_FALSE(parse_address(text));
  }
  CHECK_FALSE(parse_address("unix:/" + std::string(107, 'x')));
  CHECK(parse_address("unix:/" + std::string(106, 'x')));
}

}  // namespace zap
