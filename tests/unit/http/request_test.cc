// What reaches the application of a client's request.

#include <catch2/catch.hpp>

#include "tests/unit/http/http_test.h"

namespace zap::http {
namespace {

constexpr std::string_view kAdded =
    "Via: 1.1 zap-sidecar\r\n"
    "X-Request-Id: 0123456789abcdeffedcba9876543210\r\n"
    "traceparent: 00-0123456789abcdeffedcba9876543210-fedcba9876543211-01\r\n";

std::string get_with(std::string_view headers) {
  return "GET /a HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

/// The only payload that `request` makes, however it is cut.
std::string payload_of(const std::string& request,
                       const ClientSettings& settings = client_settings()) {
  const Heard whole = hear({request}, settings);
  REQUIRE(whole.payloads.size() == 1);
  for (const auto& pieces : splits(request)) REQUIRE(hear(pieces, settings) == whole);
  return whole.payloads.front();
}

ClientCall call_of(const std::string& request) {
  HttpClientSession session(client_settings());
  Output output;
  auto calls = feed_all(session, request, output);
  REQUIRE(calls.size() == 1);
  return calls.front();
}

TEST_CASE("http request: the payload is the request, with what a proxy adds") {
  CHECK(payload_of("POST /orders?x=1 HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n"
                   "Accept: */*\r\n\r\nhello") ==
        "POST /orders?x=1 HTTP/1.1\r\nHost: shop\r\nAccept: */*\r\n" + std::string(kAdded) +
            "Content-Length: 5\r\n\r\nhello");
}

TEST_CASE("http request: a chunked body is decoded and framed by its length, trailers dropped") {
  CHECK(payload_of("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n") ==
        "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(kAdded) +
            "Content-Length: 13\r\n\r\nabc0123456789");
}

TEST_CASE("http request: connection fields and those that Connection names are dropped") {
  const std::string payload = payload_of(
      get_with("Connection: X-Hop, keep-alive\r\nKeep-Alive: 1\r\nx-hop: 1\r\nTE: trailers\r\n"
               "Upgrade: websocket\r\nProxy-Authorization: p\r\nX-End: 2\r\n"));
  CHECK(payload == "GET /a HTTP/1.1\r\nHost: h\r\nX-End: 2\r\n" + std::string(kAdded) + "\r\n");
}

TEST_CASE("http request: Connection cannot have Host or Content-Length dropped") {
  const std::string payload = payload_of(
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: Host, Content-Length\r\nContent-Length: "
      "2\r\n\r\nab");
  CHECK(payload.find("Host: h\r\n") != std::string::npos);
  CHECK(payload.ends_with("Content-Length: 2\r\n\r\nab"));
}

TEST_CASE("http request: Zap fields are removed in any case, but for Zap-Min-Index") {
  const std::string payload = payload_of(
      get_with("Zap-Index: 7\r\nzap-replay: true\r\nZAP-SEED: 1\r\nZap-Min-Index: 12\r\n"));
  CHECK(payload ==
        "GET /a HTTP/1.1\r\nHost: h\r\nZap-Min-Index: 12\r\n" + std::string(kAdded) + "\r\n");
}

TEST_CASE("http request: Via and X-Forwarded-For grow, ids that are there stay") {
  ClientSettings settings = client_settings();
  settings.peer_address = "10.0.0.9";
  CHECK(payload_of(get_with("Via: 1.1 edge\r\nX-Forwarded-For: 1.2.3.4\r\n"
                            "X-Request-Id: mine\r\ntraceparent: 00-aa-bb-01\r\n"),
                   settings) ==
        "GET /a HTTP/1.1\r\nHost: h\r\nX-Request-Id: mine\r\ntraceparent: 00-aa-bb-01\r\n"
        "Via: 1.1 edge, 1.1 zap-sidecar\r\nX-Forwarded-For: 1.2.3.4, 10.0.0.9\r\n\r\n");
}

TEST_CASE("http request: an absolute target becomes a path, and its host the Host") {
  CHECK(payload_of("GET http://shop:80/a?b HTTP/1.1\r\nHost: other\r\n\r\n")
            .starts_with("GET /a?b HTTP/1.1\r\nHost: shop:80\r\n"));
}

TEST_CASE("http request: HTTP/1.0 is passed on as 1.1") {
  CHECK(payload_of("GET / HTTP/1.0\r\n\r\n").starts_with("GET / HTTP/1.1\r\nHost: \r\nVia: 1.0 "));
}

TEST_CASE("http request: GET, HEAD and OPTIONS are reads") {
  for (const std::string verb : {"GET", "HEAD", "OPTIONS"}) {
    CHECK(call_of(verb + " / HTTP/1.1\r\nHost: h\r\n\r\n").read);
  }
  for (const std::string verb : {"POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"}) {
    CHECK_FALSE(call_of(verb + " / HTTP/1.1\r\nHost: h\r\n\r\n").read);
  }
}

TEST_CASE("http request: what the sidecar acts on is read") {
  const ClientCall call = call_of(
      get_with("Zap-Min-Index: 12\r\nZap-Op-Id: node1-7-1042\r\nIdempotency-Key: \"k\"\r\n"));
  CHECK(call.min_index == 12u);
  CHECK(call.parent_operation == "node1-7-1042");
  REQUIRE(call.key);
  CHECK(call.key->text == "k");
  CHECK_FALSE(call_of(get_with("")).key);
  CHECK_FALSE(call_of(get_with("")).min_index);
}

TEST_CASE("http request: a key's scope is method, path and Authorization; ids do not change it") {
  const auto key = [](std::string_view line, std::string_view headers, std::string_view body = "") {
    const std::string request =
        std::string(line) + " HTTP/1.1\r\nHost: h\r\nIdempotency-Key: k\r\n" +
        std::string(headers) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
        std::string(body);
    return *call_of(request).key;
  };
  const IdempotencyKey first = key("POST /a", "Authorization: x\r\nX-Request-Id: 1\r\n", "body");
  const IdempotencyKey again = key("POST /a", "Authorization: x\r\nX-Request-Id: 2\r\n", "body");
  CHECK(first.scope == again.scope);
  CHECK(first.fingerprint == again.fingerprint);
  CHECK(first.scope != key("POST /a", "Authorization: y\r\n").scope);
  CHECK(first.scope != key("POST /b", "Authorization: x\r\n").scope);
  CHECK(first.scope != key("PUT /a", "Authorization: x\r\n").scope);
  CHECK(first.fingerprint != key("POST /a", "Authorization: x\r\n", "other").fingerprint);
  CHECK(first.fingerprint != key("POST /a?q", "Authorization: x\r\n", "body").fingerprint);
}

TEST_CASE("http request: the path is decoded for matching, and goes on as it came") {
  const ClientCall call = call_of("GET /a%20b/%C3%A9;v=1?q=%2F HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(call.method.path == "/a b/\xC3\xA9;v=1");
  CHECK(call.payload.view().starts_with("GET /a%20b/%C3%A9;v=1?q=%2F HTTP/1.1\r\n"));
  CHECK(call_of("GET /a/ HTTP/1.1\r\nHost: h\r\n\r\n").method.path == "/a/");
  CHECK(call_of("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").method.path == "*");
}

}  // namespace
}  // namespace zap::http
