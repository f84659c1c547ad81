#include "config/methods.h"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "config/pattern.h"

namespace zap::config {
namespace {

MethodTable table(const std::vector<std::string>& matches,
                  Unmatched unmatched = Unmatched::kClassify) {
  std::vector<Method> methods;
  methods.reserve(matches.size());
  for (const std::string& match : matches) methods.push_back({.match = match});
  auto made = MethodTable::make(std::move(methods), unmatched, Mode::kLinearizable);
  INFO((made ? "" : made.error().message));
  REQUIRE(made);
  return std::move(*made);
}

std::string error_of(const std::vector<std::string>& matches) {
  std::vector<Method> methods;
  methods.reserve(matches.size());
  for (const std::string& match : matches) methods.push_back({.match = match});
  const auto made = MethodTable::make(std::move(methods), Unmatched::kClassify, Mode::kLocal);
  return made ? "" : made.error().message;
}

/// The most specific of the patterns that match, found by looking at every pair.
std::string naive(const std::vector<std::string>& matches, std::string_view method,
                  std::string_view path) {
  std::vector<std::string> hits;
  for (const std::string& match : matches) {
    const Pattern pattern = *parse_pattern(match);
    if (pattern.method == method && config::matches(pattern, path)) hits.push_back(match);
  }
  for (const std::string& hit : hits) {
    const bool best = std::all_of(hits.begin(), hits.end(), [&](const std::string& other) {
      return other == hit ||
             overlap(*parse_pattern(hit), *parse_pattern(other)) == Overlap::kFirstInSecond;
    });
    if (best) return hit;
  }
  return "unmatched";
}

rc::Gen<std::string> path_of(const rc::Gen<std::string>& segment) {
  return rc::gen::map(rc::gen::nonEmpty(rc::gen::scale(
                          0.05, rc::gen::container<std::vector<std::string>>(segment))),
                      [](const std::vector<std::string>& segments) {
                        std::string path;
                        for (const std::string& text : segments) path += "/" + text;
                        return path;
                      });
}

}  // namespace

TEST_CASE("the most specific pattern wins, wherever it stands in the file") {
  const MethodTable methods = table({"GET /catalog/**", "GET /catalog/{id}", "GET /catalog/new",
                                     "GET /car/{id}/parts", "GET /**"});
  const auto match = [&](std::string_view path) { return methods.resolve("GET", path)->match; };
  CHECK(match("/catalog/new") == "GET /catalog/new");
  CHECK(match("/catalog/7") == "GET /catalog/{id}");
  CHECK(match("/catalog/7/8") == "GET /catalog/**");
  CHECK(match("/catalog/") == "GET /catalog/**");
  CHECK(match("/catalog") == "GET /catalog/**");
  CHECK(match("/car/7/parts") == "GET /car/{id}/parts");
  CHECK(match("/") == "GET /**");
}

TEST_CASE("a name stands for one segment that is not empty") {
  const MethodTable methods = table({"GET /orders/{id}"});
  CHECK(methods.resolve("GET", "/orders/1")->match == "GET /orders/{id}");
  for (const char* path :
       {"/orders/", "/orders", "/orders/1/2", "/orders/1/", "orders/1", "*", ""}) {
    CHECK(methods.resolve("GET", path)->match == "unmatched");
  }
}

TEST_CASE("what no pattern matches is classified: only what is known to be a read is one") {
  const MethodTable methods = table({"POST /orders"});
  for (const char* read : {"GET", "HEAD", "OPTIONS"}) {
    CHECK(methods.resolve(read, "/x")->mode == Mode::kLinearizable);
  }
  for (const char* write : {"POST", "PUT", "PATCH", "DELETE", "get", "PROPFIND", ""}) {
    CHECK(methods.resolve(write, "/x")->mode == Mode::kReplicated);
  }
  CHECK(methods.resolve_grpc("/shop.Cart/Get")->mode == Mode::kReplicated);
  CHECK(methods.resolve_name("GET")->mode == Mode::kReplicated);
}

TEST_CASE("unmatched names one mode for reads and writes alike") {
  const auto mode = [](Unmatched unmatched, const char* method) {
    return table({}, unmatched).resolve(method, "/x")->mode;
  };
  CHECK(mode(Unmatched::kPassthrough, "GET") == Mode::kPassthrough);
  CHECK(mode(Unmatched::kPassthrough, "POST") == Mode::kPassthrough);
  CHECK(mode(Unmatched::kReplicated, "GET") == Mode::kReplicated);
  CHECK(mode(Unmatched::kReject, "POST") == Mode::kReject);
}

TEST_CASE("gRPC methods and HTTP paths are apart") {
  const MethodTable methods =
      table({"/shop.Cart/Checkout", "/shop.Cart/**", "POST /shop.Cart/Get"});
  CHECK(methods.resolve_grpc("/shop.Cart/Checkout")->match == "/shop.Cart/Checkout");
  CHECK(methods.resolve_grpc("/shop.Cart/Get")->match == "/shop.Cart/**");
  CHECK(methods.resolve_grpc("/shop.Other/Get")->match == "unmatched");
  CHECK(methods.resolve("POST", "/shop.Cart/Checkout")->match == "unmatched");
}

TEST_CASE("plain names match exactly") {
  const MethodTable methods = table({"SET", "@0xd000000000000001/0", "Counter.add"});
  CHECK(methods.resolve_name("SET")->match == "SET");
  CHECK(methods.resolve_name("Counter.add")->match == "Counter.add");
  CHECK(methods.resolve_name("GET")->match == "unmatched");
}

TEST_CASE("equally specific patterns are refused") {
  CHECK(error_of({"GET /a/{x}", "GET /a/{y}"}) ==
        "'GET /a/{y}' and 'GET /a/{x}' match the same calls, neither more specifically");
  CHECK(error_of({"GET /a/{x}", "GET /{y}/b"}) ==
        "'GET /{y}/b' and 'GET /a/{x}' match the same calls, neither more specifically");
  CHECK(error_of({"GET /a/{x}", "POST /a/{x}", "GET /a/"}).empty());
}

TEST_CASE("malformed patterns say what would be right") {
  CHECK(error_of({"post /orders"}) ==
        "'post /orders' does not begin with an HTTP method; methods are in upper case, as in "
        "\"POST /orders\"");
  CHECK(error_of({"GET /a/**/b"}) == "'GET /a/**/b' goes on after **; ** is the last segment");
  CHECK(error_of({"GET /a*"}) ==
        "'GET /a*' has a * inside a segment; ** stands alone, as the last segment");
  CHECK(error_of({"GET /v{n}"}) ==
        "'GET /v{n}' has a brace inside a segment; {name} is a whole segment");
  CHECK(error_of({"GET /{}"}) ==
        "'GET /{}' has a brace inside a segment; {name} is a whole segment");
  CHECK(error_of({"GET orders"}) ==
        "'GET orders' is not METHOD PATH; write one space, then a path that starts with /");
  CHECK(error_of({"GET /a?b=1"}) == "'GET /a?b=1' has a query or fragment; match the path alone");
  CHECK(error_of({"/orders"}) ==
        "'/orders' is no gRPC method; write \"/package.Service/Method\", or put an HTTP method "
        "before the path");
}

TEST_CASE("resolving agrees with the naive reference") {
  CHECK(rc::check("for any table without ambiguity", [] {
    const auto pattern_segment = rc::gen::element<std::string>("a", "b", "", "{x}");
    const auto call_segment = rc::gen::element<std::string>("a", "b", "c", "");
    const auto candidates = *rc::gen::container<std::vector<std::string>>(
        rc::gen::map(rc::gen::tuple(path_of(pattern_segment), rc::gen::arbitrary<bool>(),
                                    rc::gen::element<std::string>("GET ", "POST ")),
                     [](const auto& parts) {
                       const auto& [path, rest, method] = parts;
                       return method + path + (rest ? "/**" : "");
                     }));
    std::vector<std::string> accepted;
    for (const std::string& candidate : candidates) {
      accepted.push_back(candidate);
      if (!error_of(accepted).empty()) accepted.pop_back();
    }
    const MethodTable methods = table(accepted);
    const std::string path = *path_of(call_segment);
    RC_TAG(naive(accepted, "GET", path) != "unmatched");
    RC_ASSERT(methods.resolve("GET", path)->match == naive(accepted, "GET", path));
  }));
}

}  // namespace zap::config
