// Requests that two parsers could read in two ways, and requests beyond the limits: refused, the
// connection closed, and nothing behind them taken for a request.

#include <catch2/catch.hpp>

#include "tests/unit/http/http_test.h"

namespace zap::http {
namespace {

constexpr std::string_view kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

struct Refused {
  const char* what;
  std::string request;
  int status = 400;
};

std::string with(std::string_view headers) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

void check_refused(const std::vector<Refused>& cases) {
  for (const Refused& refused : cases) {
    INFO(refused.what);
    const std::string input = refused.request + std::string(kSmuggled);
    const Heard whole = hear({input});
    CHECK(whole.methods.empty());
    CHECK(status_in(whole.output) == refused.status);
    CHECK(whole.output.find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK(whole.output.find("\r\nZap-Origin: proxy\r\n") != std::string::npos);
    CHECK(whole.finished);
    for (const auto& pieces : splits(input)) REQUIRE(hear(pieces) == whole);
  }
}

TEST_CASE("http refuses: framing that can be read in two ways") {
  check_refused({
      {"CL and TE", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n"},
      {"TE and CL", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n"},
      {"different CL", with("Content-Length: 5\r\nContent-Length: 6\r\n") + "hello"},
      {"the same CL twice", with("Content-Length: 5\r\nContent-Length: 5\r\n") + "hello"},
      {"a list of CL", with("Content-Length: 5, 5\r\n") + "hello"},
      {"CL with a sign", with("Content-Length: +5\r\n") + "hello"},
      {"negative CL", with("Content-Length: -5\r\n") + "hello"},
      {"hexadecimal CL", with("Content-Length: 0x5\r\n") + "hello"},
      {"CL with a blank inside", with("Content-Length: 1 5\r\n") + "hello"},
      {"empty CL", with("Content-Length: \r\n")},
      {"CL beyond 64 bits", with("Content-Length: 18446744073709551617\r\n") + "h"},
      {"gzip, chunked", with("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n"},
      {"chunked, identity", with("Transfer-Encoding: chunked, identity\r\n") + "0\r\n\r\n"},
      {"identity", with("Transfer-Encoding: identity\r\n")},
      {"xchunked", with("Transfer-Encoding: xchunked\r\n") + "0\r\n\r\n"},
      {"empty TE", with("Transfer-Encoding:\r\n") + "0\r\n\r\n"},
      {"TE twice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
      {"TE twice, unlike", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n")},
      {"TE quoted", with("Transfer-Encoding: \"chunked\"\r\n") + "0\r\n\r\n"},
      {"TE in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"blank before the colon", with("Content-Length : 5\r\n") + "hello"},
      {"TE, blank before the colon", with("Transfer-Encoding : chunked\r\n") + "0\r\n\r\n"},
      {"tab before the colon", with("Content-Length\t: 5\r\n") + "hello"},
      {"a folded TE", with("Transfer-Encoding:\r\n chunked\r\n") + "0\r\n\r\n"},
      {"a folded header", with("X: a\r\n b\r\n")},
      {"a header before the first", "POST / HTTP/1.1\r\n Host: h\r\n\r\n"},
      {"a header without a colon", with("X\r\n")},
      {"a header without a name", with(": x\r\n")},
  });
}

TEST_CASE("http refuses: lines that end with anything but CR LF") {
  check_refused({
      {"LF after the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n"},
      {"LF after a header", "GET / HTTP/1.1\r\nHost: h\n\r\n"},
      {"LF as the last line", "GET / HTTP/1.1\r\nHost: h\r\n\n"},
      {"LF only", "GET / HTTP/1.1\nHost: h\n\n"},
      {"CR alone inside a value", with("X: a\rContent-Length: 5\r\n")},
      {"CR alone as a line's end", "GET / HTTP/1.1\rHost: h\r\n\r\n"},
      {"CR CR LF", "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n"},
      {"LF after a chunk size", with("Transfer-Encoding: chunked\r\n") + "1\nx\r\n0\r\n\r\n"},
      {"LF after a chunk", with("Transfer-Encoding: chunked\r\n") + "1\r\nx\n0\r\n\r\n"},
      {"LF in an extension", with("Transfer-Encoding: chunked\r\n") + "1;a\nb\r\nx\r\n0\r\n\r\n"},
      {"LF at the end", with("Transfer-Encoding: chunked\r\n") + "0\r\n\n"},
      {"LF after a trailer", with("Transfer-Encoding: chunked\r\n") + "0\r\nX: y\n\r\n"},
      {"a folded trailer", with("Transfer-Encoding: chunked\r\n") + "0\r\nX: y\r\n z\r\n\r\n"},
  });
}

TEST_CASE("http refuses: chunks that are not exactly chunks") {
  check_refused({
      {"no size", with("Transfer-Encoding: chunked\r\n") + "\r\nx\r\n0\r\n\r\n"},
      {"signed size", with("Transfer-Encoding: chunked\r\n") + "+1\r\nx\r\n0\r\n\r\n"},
      {"0x size", with("Transfer-Encoding: chunked\r\n") + "0x1\r\nx\r\n0\r\n\r\n"},
      {"size beyond 64 bits", with("Transfer-Encoding: chunked\r\n") + "10000000000000001\r\nx"},
      {"longer than its size", with("Transfer-Encoding: chunked\r\n") + "1\r\nxy\r\n0\r\n\r\n"},
      {"blank before the size", with("Transfer-Encoding: chunked\r\n") + " 1\r\nx\r\n0\r\n\r\n"},
  });
}

TEST_CASE("http refuses: control characters, versions, methods and hosts") {
  check_refused({
      {"NUL in a value", with(std::string("X: a\0b\r\n", 8))},
      {"NUL in the target", std::string("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 28)},
      {"DEL in a value", with("X: \x7f\r\n")},
      {"ESC in a name", with("X\x1b: a\r\n")},
      {"no Host", "GET / HTTP/1.1\r\n\r\n"},
      {"two Hosts", with("Host: h\r\n")},
      {"a path in Host", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n"},
      {"a list in Host", "GET / HTTP/1.1\r\nHost: h, i\r\n\r\n"},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n"},
      {"HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"HTTP/0.9", "GET /\r\n\r\n"},
      {"an unknown method", "SMUGGLE / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"a method in lower case", "get / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"a tunnel", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"an unknown expectation", with("Expect: the-unexpected\r\n")},
  });
}

TEST_CASE("http refuses: paths that the application could read as another one") {
  check_refused({
      {"dot segment", get("/a/./b")},
      {"dot segments up", get("/a/../b")},
      {"dot segment at the end", get("/a/..")},
      {"encoded dot segment", get("/a/%2e%2E/b")},
      {"half encoded dot segment", get("/a/.%2e/b")},
      {"empty segment", get("//orders")},
      {"encoded slash", get("/a%2fb")},
      {"encoded backslash", get("/a%5cb")},
      {"backslash", get("/a\\b")},
      {"encoded NUL", get("/a%00")},
      {"encoded LF", get("/a%0a")},
      {"no digits", get("/a%")},
      {"one digit", get("/a%4")},
      {"not digits", get("/a%zz")},
      {"fragment", get("/a#b")},
      {"raw UTF-8", get("/\xc3\xa9")},
      {"no slash", get("a")},
      {"asterisk", get("*")},
      {"user in an absolute target", get("http://u@h/")},
      {"absolute target without a host", get("http:///a")},
  });
}

TEST_CASE("http refuses: fields of ours that make no sense") {
  check_refused({
      {"Zap-Min-Index not a number", with("Zap-Min-Index: x\r\n")},
      {"Zap-Min-Index twice", with("Zap-Min-Index: 1\r\nZap-Min-Index: 1\r\n")},
      {"an empty key", with("Idempotency-Key: \"\"\r\n")},
      {"a long key", with("Idempotency-Key: " + std::string(257, 'k') + "\r\n")},
      {"two keys", with("Idempotency-Key: a\r\nIdempotency-Key: a\r\n")},
  });
}

TEST_CASE("http refuses: what is beyond the limits") {
  std::string many;
  for (int i = 0; i < 12; ++i) many += "X: y\r\n";
  const std::string chunked = with("Transfer-Encoding: chunked\r\n");
  check_refused({
      {"a long body", with("Content-Length: 101\r\n"), 413},
      {"a long chunk", chunked + "65\r\n" + std::string(101, 'x') + "\r\n0\r\n\r\n", 413},
      {"many chunks",
       chunked + "33\r\n" + std::string(51, 'x') + "\r\n33\r\n" + std::string(51, 'x') +
           "\r\n0\r\n\r\n",
       413},
      {"a long head", with("X: " + std::string(1000, 'x') + "\r\n"), 431},
      {"a long target", get("/" + std::string(1000, 'x')), 431},
      {"many headers", with(many), 431},
      {"long chunk extensions", chunked + "1;" + std::string(2000, 'x') + "\r\nx\r\n", 431},
      {"long trailers", chunked + "0\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", 431},
  });
}

TEST_CASE("http accepts: what is exactly at the limits") {
  const std::string body(100, 'x');
  const std::vector<std::string> requests = {
      with("Content-Length: 100\r\n") + body,
      with("Transfer-Encoding: chunked\r\n") + "64\r\n" + body + "\r\n0\r\n\r\n",
      with("X: " + std::string(1000 - with("X: \r\n").size(), 'x') + "\r\n"),
  };
  for (const std::string& request : requests) {
    const Heard heard = hear({request});
    CHECK(heard.methods.size() == 1);
    CHECK(heard.output.empty());
  }
}

}  // namespace
}  // namespace zap::http
