#include "core/digest.h"

#include <catch2/catch.hpp>

using namespace zap;

TEST_CASE("a digest is SHA-256 of length-prefixed fields behind a tag") {
  // sha256(le64(1) || "t" || le64(2) || "ab" || le64(7)), computed with another implementation.
  const Digest digest = Hasher("t").add(std::string_view("ab")).add(std::uint64_t{7}).finish();
  CHECK(digest.hex() == "d0bfe7c01b0288901801ee772babeed5fcd65e1e5bb73d6cfd107f3b8220a506");
}

TEST_CASE("fields do not run into each other") {
  const auto of = [](std::string_view a, std::string_view b) {
    return Hasher("t").add(a).add(b).finish();
  };
  CHECK(of("ab", "c") != of("a", "bc"));
  CHECK(Hasher("tx").finish() != Hasher("t").add(std::string_view("x")).finish());
}

TEST_CASE("values longer than what is gathered, and hashers inside of hashers") {
  const std::string large(100'000, 'x');
  Hasher outer("outer");
  outer.add(std::string_view("before"));
  const Digest inner = Hasher("inner").add(std::string_view(large)).finish();
  const Digest nested = outer.add(inner).finish();
  CHECK(inner == Hasher("inner").add(std::string_view(large)).finish());
  CHECK(nested == Hasher("outer").add(std::string_view("before")).add(inner).finish());
}
