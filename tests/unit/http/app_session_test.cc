// One connection to the application: what it is told, and what becomes of its answers.

#include <catch2/catch.hpp>

#include "tests/unit/http/http_test.h"

namespace zap::http {
namespace {

const Comparison kFull;
const Bytes kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const Bytes kHead = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";

struct Said {
  std::vector<std::string> payloads;
  std::vector<Digest> compared;
  std::string error;
  bool reusable = true;

  friend bool operator==(const Said&, const Said&) = default;
};

/// What the session makes of an application that answers `request` with the pieces.
Said say(const std::vector<std::string_view>& pieces, bool then_closes = false,
         const Bytes& request = kGet, const Comparison& comparison = kFull) {
  HttpAppSession session(app_settings());
  Output output;
  session.deliver(request, std::nullopt, comparison, output);
  Said said;
  const auto keep = [&](const AppReply& reply) {
    said.payloads.emplace_back(reply.reply.payload.view());
    said.compared.push_back(reply.reply.compared);
  };
  for (const std::string_view piece : pieces) {
    const auto replies = session.feed(piece);
    if (!replies) {
      said.error = replies.error().message;
      break;
    }
    for (const AppReply& reply : *replies) keep(reply);
    if (!session.reusable()) break;  // whoever owns the connection closes it
  }
  if (then_closes) {
    if (const auto reply = session.closed()) keep(*reply);
  }
  said.reusable = session.reusable();
  return said;
}

/// The only reply to `response`, however it is cut. What is kept of it reads back to the same
/// digest: so another node checks an answer that it fetched.
Said reply_to(const std::string& response, bool then_closes = false, const Bytes& request = kGet) {
  Said whole = say({response}, then_closes, request);
  INFO(whole.error);
  REQUIRE(whole.payloads.size() == 1);
  HttpAppSession elsewhere({});
  Output output;
  elsewhere.deliver(request, std::nullopt, kFull, output);
  const auto read_back = elsewhere.feed(whole.payloads.front());
  REQUIRE(read_back);
  REQUIRE(read_back->size() == 1);
  REQUIRE(read_back->front().reply.compared == whole.compared.front());
  for (const auto& pieces : splits(response)) REQUIRE(say(pieces, then_closes, request) == whole);
  return whole;
}

std::string payload_of(const std::string& response) { return reply_to(response).payloads.front(); }

Digest compared(const std::string& response, const Comparison& comparison = kFull) {
  const Said said = say({response}, false, kGet, comparison);
  REQUIRE(said.compared.size() == 1);
  return said.compared.front();
}

std::string ok(const std::string& headers, const std::string& body) {
  return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

TEST_CASE("http app: an ordered call is told its index, time, seed, id and origin") {
  HttpAppSession session(app_settings());
  Output output;
  session.deliver("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
                  Delivery{7, 1'700'000'000'000'000'001, 0xabc, "node1-7-1042", "node1", false},
                  kFull, output);
  CHECK(text(output) ==
        "POST /a HTTP/1.1\r\nZap-Index: 7\r\nZap-Timestamp: 1700000000000000001\r\n"
        "Zap-Seed: 0000000000000abc\r\nZap-Op-Id: node1-7-1042\r\nZap-Node: node1\r\n"
        "Host: h\r\nContent-Length: 1\r\n\r\nx");
  CHECK(session.in_flight() == 1);
}

TEST_CASE("http app: a call sent again says so; a read is told nothing") {
  HttpAppSession session(app_settings());
  Output output;
  session.deliver(kGet, Delivery{7, 1, 2, "node1-7-1", "node1", true}, kFull, output);
  CHECK(text(output).find("Zap-Node: node1\r\nZap-Replay: true\r\nHost") != std::string::npos);
  session.deliver(kGet, std::nullopt, kFull, output);
  CHECK(text(output) == kGet.view());
}

TEST_CASE("http app: a large body is shared, not copied") {
  HttpAppSession session(app_settings());
  Output output;
  const Bytes payload("POST / HTTP/1.1\r\n\r\n" + std::string(100'000, 'x'));
  session.deliver(payload, std::nullopt, kFull, output);
  CHECK(output.take().back().data() == payload.data() + 17);
}

TEST_CASE("http app: an answer is normalized") {
  CHECK(payload_of("HTTP/1.1 201 Created\r\nConnection: X-Hop\r\nContent-Length: 2\r\nX-Hop: 1\r\n"
                   "Zap-Origin: proxy\r\nDate: today\r\nX: y\r\n\r\nab") ==
        "HTTP/1.1 201 Created\r\nDate: today\r\nX: y\r\nContent-Length: 2\r\n\r\nab");
}

TEST_CASE("http app: chunked answers, and answers that end with the connection") {
  CHECK(payload_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "2\r\nab\r\n1;x\r\nc\r\n0\r\nT: 1\r\n\r\n") == ok("", "abc"));
  const Said until_close = reply_to("HTTP/1.1 200 OK\r\n\r\nabc", true);
  CHECK(until_close.payloads.front() == ok("", "abc"));
  CHECK_FALSE(until_close.reusable);
  CHECK(reply_to("HTTP/1.0 200 OK\r\n\r\n", true).payloads.front() == ok("", ""));
}

TEST_CASE("http app: answers without a body, whatever their headers say") {
  CHECK(payload_of("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n") ==
        "HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(payload_of("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n") ==
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
  const Said head = reply_to("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", false, kHead);
  CHECK(head.payloads.front() == "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
  CHECK(head.reusable);
  CHECK(reply_to("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, kHead)
            .payloads.front() == "HTTP/1.1 200 OK\r\n\r\n");
  CHECK(reply_to("HTTP/1.1 200 OK\r\n\r\n", false, kHead).payloads.front() ==
        "HTTP/1.1 200 OK\r\n\r\n");
}

TEST_CASE("http app: interim answers are passed over") {
  CHECK(payload_of("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" +
                   ok("", "a")) == ok("", "a"));
}

TEST_CASE("http app: the connection is kept unless the application ends it") {
  CHECK(reply_to(ok("", "a")).reusable);
  CHECK_FALSE(reply_to(ok("Connection: close\r\n", "a")).reusable);
  CHECK_FALSE(reply_to("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na").reusable);
  CHECK(
      reply_to("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na").reusable);
}

TEST_CASE("http app: one connection carries one call after the other") {
  HttpAppSession session(app_settings());
  Output output;
  for (const std::string body : {"a", "", "c"}) {
    session.deliver(kGet, std::nullopt, kFull, output);
    const auto replies = session.feed(ok("", body));
    REQUIRE(replies);
    REQUIRE(replies->size() == 1);
    CHECK(replies->front().reply.payload.view() == ok("", body));
    CHECK(session.in_flight() == 0);
  }
}

TEST_CASE("http app: an answer cut off by a close is no answer") {
  for (const std::string response :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n"}) {
    INFO(response);
    HttpAppSession session(app_settings());
    Output output;
    session.deliver(kGet, std::nullopt, kFull, output);
    REQUIRE(session.feed(response));
    CHECK_FALSE(session.closed());
    CHECK(session.in_flight() == 1);
    CHECK_FALSE(session.reusable());
  }
}

TEST_CASE("http app: what is not an answer is an error") {
  for (const std::string response :
       {"hello\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    INFO(response);
    const Said said = say({response});
    CHECK_FALSE(said.error.empty());
    CHECK_FALSE(said.reusable);
    for (const auto& pieces : splits(response)) CHECK_FALSE(say(pieces).error.empty());
  }
}

TEST_CASE("http app: bytes beyond the answer end the connection, and the answer counts") {
  // Were it thrown away, the call would be executed again.
  HttpAppSession session(app_settings());
  Output output;
  session.deliver(kGet, std::nullopt, kFull, output);
  const auto replies = session.feed(ok("", "a") + "more");
  REQUIRE(replies);
  CHECK(replies->size() == 1);
  CHECK_FALSE(session.reusable());
  CHECK_FALSE(session.feed("and more"));
}

TEST_CASE("http app: an answer beyond the limits becomes the same error on every node") {
  const std::string x(101, 'x');
  const std::vector<std::string> responses = {
      ok("", x),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + x + "\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\n" + x, ok("X: " + std::string(1000, 'x') + "\r\n", "")};
  for (const std::string& response : responses) {
    const Said said = reply_to(response);
    CHECK(said.payloads.front().starts_with("HTTP/1.1 502 Bad Gateway\r\nZap-Origin: proxy\r\n"));
    CHECK(said.payloads.front().find("\"code\":\"too_large\"") != std::string::npos);
    CHECK(said.compared.front() == say({responses.front()}).compared.front());
    CHECK_FALSE(said.reusable);
  }
}

TEST_CASE("http compared: status, headers and body, and nothing of who sent it when") {
  const Digest base = compared(ok("X: 1\r\nY: 2\r\n", "a"));
  CHECK(base == compared(ok("Date: d\r\nServer: s\r\nVia: v\r\nX: 1\r\nY: 2\r\n", "a")));
  CHECK(base == compared(ok("Connection: keep-alive\r\nKeep-Alive: 5\r\nX: 1\r\nY: 2\r\n", "a")));
  CHECK(base == compared(ok("y:  2 \r\nx: 1\r\n", "a")));
  CHECK(base == compared("HTTP/1.1 200 Fine\r\nX: 1\r\nY: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "1\r\na\r\n0\r\n\r\n"));
  CHECK(base != compared(ok("X: 1\r\nY: 3\r\n", "a")));
  CHECK(base != compared(ok("X: 1\r\n", "a")));
  CHECK(base != compared(ok("X: 1\r\nY: 2\r\n", "b")));
  CHECK(base != compared("HTTP/1.1 201 OK\r\nX: 1\r\nY: 2\r\nContent-Length: 1\r\n\r\na"));
}

TEST_CASE("http compared: a method may relax what must be equal") {
  Comparison status;
  status.mode = Comparison::Mode::kStatus;
  CHECK(compared(ok("X: 1\r\n", "a"), status) == compared(ok("X: 2\r\n", "b"), status));
  CHECK(compared(ok("", "a"), status) !=
        compared("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", status));

  Comparison none;
  none.mode = Comparison::Mode::kNone;
  CHECK(compared(ok("", "a"), none) ==
        compared("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", none));

  Comparison etag;
  etag.ignored_headers = {"etag"};
  CHECK(compared(ok("ETag: 1\r\n", "a"), etag) == compared(ok("ETag: 2\r\n", "a"), etag));

  Comparison json;
  json.ignored_paths = {"$.at", "$.items[*].id", "$.meta.by"};
  const auto body = [&](const std::string& text) { return compared(ok("", text), json); };
  CHECK(body(R"({"n":1,"at":5,"items":[{"id":1},{"id":2}],"meta":{"by":"x"}})") ==
        body(R"({"at":6, "n":1, "items":[{"id":3},{"id":4}],"meta":{"by":"y"}})"));
  CHECK(body(R"({"n":1})") != body(R"({"n":2})"));
  CHECK(body("not json") != body("not JSON"));
  const std::string deep(50, '[');
  CHECK(body(deep + "1" + std::string(49, ']')) != body(deep + "2" + std::string(49, ']')));
}

TEST_CASE("http app: an answer to an index seen before is a duplicate") {
  HttpAppSession session(app_settings());
  Output output;
  session.deliver(kGet, Delivery{7, 1, 2, "node1-7-1", "node1", true}, kFull, output);
  const auto replies = session.feed(ok("Zap-Applied: duplicate\r\n", "a"));
  REQUIRE(replies);
  CHECK(replies->front().duplicate);
  CHECK(replies->front().reply.payload.view() == ok("", "a"));
}

TEST_CASE("http app: interim responses are passed over, but not for ever") {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\n\r\n";
  const Comparison comparison;
  Output output;
  HttpAppSession session(app_settings());
  session.deliver(Bytes("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), std::nullopt, comparison, output);
  for (int i = 0; i < 16; ++i) {
    const auto replies = session.feed(interim);
    REQUIRE(replies);
    CHECK(replies->empty());
  }
  SECTION("then the answer") { CHECK(session.feed(ok("", "a"))->size() == 1); }
  SECTION("then one more") {
    CHECK_FALSE(session.feed(interim));
    CHECK_FALSE(session.reusable());
  }
}

}  // namespace
}  // namespace zap::http
