// One client's connection: order of answers, 100 Continue, closing, errors in their own form.

#include <algorithm>
#include <catch2/catch.hpp>

#include "adapters/http/errors.h"
#include "tests/unit/http/http_test.h"

namespace zap::http {
namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kExpecting =
    "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
const std::string kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

Answer answer(const std::string& body) {
  Answer made;
  made.payload =
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  return made;
}

std::string plain(const std::string& body) { return std::string(answer(body).payload.view()); }

TEST_CASE("http client: pipelined requests are answered in their order, whatever comes first") {
  std::vector<std::uint64_t> order = {1, 2, 3, 4};
  do {
    HttpClientSession session(client_settings());
    Output output;
    REQUIRE(feed_all(session, kGet + kGet + kGet + kGet, output).size() == 4);
    CHECK(session.pending() == 4);
    for (const std::uint64_t sequence : order) {
      session.answer(sequence, answer(std::to_string(sequence)), output);
    }
    CHECK(text(output) == plain("1") + plain("2") + plain("3") + plain("4"));
    CHECK(session.pending() == 0);
    CHECK_FALSE(session.finished());
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("http client: an answer leaves as soon as those before it have left") {
  HttpClientSession session(client_settings());
  Output output;
  feed_all(session, kGet + kGet, output);
  session.answer(2, answer("b"), output);
  CHECK(output.empty());
  session.answer(1, answer("a"), output);
  CHECK(text(output) == plain("a") + plain("b"));
}

TEST_CASE("http client: one call is taken at a time, what came behind it is left") {
  HttpClientSession session(client_settings());
  Output output;
  const std::string two = kGet + "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na";
  std::string_view rest = two;
  REQUIRE(session.feed(rest, output));
  CHECK(two.size() - rest.size() == kGet.size());
  CHECK(session.unfinished_bytes() == 0);
  CHECK_FALSE(session.feed(rest, output));
  CHECK(rest.empty());
  CHECK(session.pending() == 1);
  CHECK(session.unfinished_bytes() > 0);
  rest = "bc";
  REQUIRE(session.feed(rest, output));
  CHECK(session.unfinished_bytes() == 0);
}

TEST_CASE("http client: answers held back behind an earlier call are counted") {
  HttpClientSession session(client_settings());
  Output output;
  feed_all(session, kGet + kGet, output);
  session.answer(2, answer(std::string(5'000, 'b')), output);
  CHECK(session.held_back_bytes() > 5'000);
  session.answer(1, answer("a"), output);
  CHECK(session.held_back_bytes() == 0);
}

TEST_CASE("http client: a request that is given up is answered, and the connection ends") {
  for (const std::string& begun :
       {std::string("POST / HT"), kExpecting,
        std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na")}) {
    HttpClientSession session(client_settings());
    Output output;
    feed_all(session, kGet + begun, output);
    CHECK(session.unfinished_bytes() > 0);
    session.give_up({ProxyErrorCode::kOverloaded, "too much is arriving"}, output);
    session.answer(1, answer("a"), output);
    CHECK(text(output).starts_with(plain("a") + "HTTP/1.1 429 Too Many Requests\r\n"));
    CHECK(session.finished());
    CHECK(feed_all(session, kGet, output).empty());
  }
}

TEST_CASE("http client: an answer carries index, view and operation id behind its status line") {
  HttpClientSession session(client_settings());
  Output output;
  feed_all(session, kGet, output);
  Answer made = answer("x");
  made.index = 7;
  made.view = 3;
  made.operation_id = "node1-7-1042";
  session.answer(1, made, output);
  CHECK(text(output) ==
        "HTTP/1.1 200 OK\r\nZap-Index: 7\r\nZap-View: 3\r\nZap-Op-Id: node1-7-1042\r\n"
        "Content-Length: 1\r\n\r\nx");
}

TEST_CASE("http client: a large answer is shared, not copied") {
  HttpClientSession session(client_settings());
  Output output;
  feed_all(session, kGet, output);
  const Answer made = answer(std::string(100'000, 'x'));
  session.answer(1, made, output);
  const std::vector<Bytes> pieces = output.take();
  REQUIRE(pieces.size() == 2);
  CHECK(pieces[1].data() == made.payload.data() + std::string_view("HTTP/1.1 200 OK\r\n").size());
}

TEST_CASE("http client: the connection closes when the client or its version says so") {
  const auto answered = [](const std::string& request) {
    HttpClientSession session(client_settings());
    Output output;
    // What follows a request that closes is never read.
    const std::size_t calls = feed_all(session, request + kGet, output).size();
    session.answer(1, answer("x"), output);
    return std::make_tuple(calls, text(output), session.finished());
  };
  const std::string closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx";
  const std::string keeping =
      "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx";
  CHECK(answered("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") ==
        std::make_tuple(1u, closing, true));
  CHECK(answered("GET / HTTP/1.0\r\n\r\n") == std::make_tuple(1u, closing, true));
  CHECK(answered("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") ==
        std::make_tuple(2u, keeping, false));
  CHECK(answered(kGet) == std::make_tuple(2u, plain("x"), false));
}

TEST_CASE("http client: 100 Continue is sent when the body is waited for") {
  HttpClientSession session(client_settings());
  Output output;
  CHECK(feed_all(session, kExpecting, output).empty());
  CHECK(text(output) == kContinue);
  CHECK(feed_all(session, "x", output).size() == 1);
  CHECK(output.empty());
}

TEST_CASE("http client: 100 Continue waits behind the answers due before it") {
  HttpClientSession session(client_settings());
  Output output;
  feed_all(session, kGet + kExpecting, output);
  CHECK(output.empty());
  session.answer(1, answer("a"), output);
  CHECK(text(output) == plain("a") + kContinue);
}

TEST_CASE("http client: no 100 Continue where the body is there, refused, or HTTP/1.0") {
  CHECK(hear({kExpecting + "x"}).output.empty());
  CHECK(hear({"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"}).output ==
        "");
  CHECK(status_in(hear({"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                        "Content-Length: 101\r\n\r\n"})
                      .output) == 413);
}

TEST_CASE("http client: an error is told behind the answers due before it, then it ends") {
  HttpClientSession session(client_settings());
  Output output;
  REQUIRE(feed_all(session, kGet + "BAD\r\n\r\n" + kGet, output).size() == 1);
  CHECK(output.empty());
  CHECK_FALSE(session.finished());
  session.answer(1, answer("a"), output);
  const std::string written = text(output);
  CHECK(written.starts_with(plain("a") + "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"));
  CHECK(session.finished());
  CHECK(feed_all(session, kGet, output).empty());
}

TEST_CASE("http client: an empty line before a request is skipped") {
  const std::string request = "\r\n" + kGet;
  for (const auto& pieces : splits(request)) {
    CHECK(hear(pieces).methods == std::vector<std::string>{"GET /"});
  }
}

TEST_CASE("http errors: each code has its status and what it demands") {
  struct Row {
    ProxyErrorCode code;
    std::string first_line;
    bool retry_after;
  };
  using Code = ProxyErrorCode;
  const std::vector<Row> rows = {
      {Code::kNoQuorum, "HTTP/1.1 503 Service Unavailable", true},
      {Code::kDraining, "HTTP/1.1 503 Service Unavailable", true},
      {Code::kStarting, "HTTP/1.1 503 Service Unavailable", true},
      {Code::kOverloaded, "HTTP/1.1 429 Too Many Requests", true},
      {Code::kOutcomeUnknown, "HTTP/1.1 504 Gateway Timeout", false},
      {Code::kAppUnreachable, "HTTP/1.1 502 Bad Gateway", false},
      {Code::kAppQuarantined, "HTTP/1.1 503 Service Unavailable", true},
      {Code::kTooStale, "HTTP/1.1 503 Service Unavailable", true},
      {Code::kIndexNotReached, "HTTP/1.1 503 Service Unavailable", true},
      {Code::kTooLarge, "HTTP/1.1 413 Content Too Large", false},
      {Code::kMalformed, "HTTP/1.1 400 Bad Request", false},
      {Code::kRejected, "HTTP/1.1 403 Forbidden", false},
      {Code::kLoop, "HTTP/1.1 508 Loop Detected", false},
      {Code::kAnswersDiffer, "HTTP/1.1 500 Internal Server Error", false},
      {Code::kKeyInFlight, "HTTP/1.1 409 Conflict", false},
      {Code::kKeyReused, "HTTP/1.1 422 Unprocessable Content", false},
      {Code::kAnswerLost, "HTTP/1.1 500 Internal Server Error", false},
  };
  REQUIRE(rows.size() == kProxyErrorCodes);
  for (const Row& row : rows) {
    INFO(to_string(row.code));
    const std::string error = render_error({row.code, "why"}, ConnectionField::kNone);
    CHECK(error.starts_with(row.first_line + "\r\nZap-Origin: proxy\r\n"));
    CHECK((error.find("\r\nRetry-After: 1\r\n") != std::string::npos) == row.retry_after);
    CHECK(error.ends_with("\r\n\r\n{\"error\":{\"code\":\"" + std::string(to_string(row.code)) +
                          "\",\"message\":\"why\",\"details\":null}}\n"));
  }
}

TEST_CASE("http errors: an unknown outcome names its operation; text is escaped") {
  HttpClientSession session(client_settings());
  Output output;
  feed_all(session, kGet, output);
  session.refuse(1, {ProxyErrorCode::kOutcomeUnknown, "a \"b\"", "c\n\xff", "node1-7-1042", 9},
                 output);
  const std::string error = text(output);
  CHECK(error.find("\r\nZap-Op-Id: node1-7-1042\r\nZap-Index: 9\r\n") != std::string::npos);
  CHECK(error.find(R"("message":"a \"b\"","details":"c\n)"
                   "\xEF\xBF\xBD\"") != std::string::npos);
  const auto body = error.substr(error.find("\r\n\r\n") + 4);
  CHECK(error.find("Content-Length: " + std::to_string(body.size()) + "\r\n") != std::string::npos);
}

TEST_CASE("http errors: the answer to a HEAD has no body") {
  HttpClientSession session(client_settings());
  Output output;
  feed_all(session, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", output);
  session.refuse(1, {ProxyErrorCode::kNoQuorum, "why"}, output);
  CHECK(text(output).ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace zap::http
