// Random conversations, written in the many ways that HTTP allows, come out as what was meant.

#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "tests/unit/http/http_test.h"

namespace zap::http {
namespace {

/// A request as it is meant, and how it is to be written.
struct Meant {
  std::string verb;
  std::vector<std::string> segments;  ///< decoded
  std::string body;
  std::vector<std::size_t> chunks;  ///< sizes to cut the body into; empty: Content-Length
  bool escape_all = false;          ///< percent-encode what need not be
};

std::string encoded(const std::string& segment, bool escape_all) {
  std::string text;
  for (const char byte : segment) {
    const bool plain = (byte >= 'a' && byte <= 'z') || byte == '-';
    if (plain && !escape_all) {
      text += byte;
    } else {
      const char* digits = escape_all ? "0123456789abcdef" : "0123456789ABCDEF";
      text += '%';
      text += digits[static_cast<unsigned char>(byte) >> 4];
      text += digits[static_cast<unsigned char>(byte) & 15];
    }
  }
  return text;
}

std::string path_of(const Meant& meant) {
  std::string path;
  for (const std::string& segment : meant.segments) path += "/" + segment;
  return path;
}

std::string hexadecimal(std::size_t number) {
  std::string text;
  do {
    text.insert(text.begin(), "0123456789abcdef"[number % 16]);
  } while (number /= 16);
  return text;
}

std::string written(const Meant& meant) {
  std::string text = meant.verb + " ";
  for (const auto& segment : meant.segments) text += "/" + encoded(segment, meant.escape_all);
  text += " HTTP/1.1\r\nHost: h\r\n";
  if (meant.chunks.empty()) {
    return text + "Content-Length: " + std::to_string(meant.body.size()) + "\r\n\r\n" + meant.body;
  }
  text += "Transfer-Encoding: chunked\r\n\r\n";
  std::size_t at = 0;
  for (std::size_t i = 0; at < meant.body.size(); ++i) {
    const std::string chunk = meant.body.substr(at, meant.chunks[i % meant.chunks.size()]);
    text += hexadecimal(chunk.size()) + "\r\n" + chunk + "\r\n";
    at += chunk.size();
  }
  return text + "0\r\n\r\n";
}

rc::Gen<Meant> any_request() {
  // Every byte that a decoded segment may hold, and no segment that is a dot segment.
  const auto byte = rc::gen::suchThat(rc::gen::arbitrary<char>(), [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code >= 0x20 && code != 0x7f && c != '/' && c != '\\';
  });
  const auto segment = rc::gen::suchThat(
      rc::gen::nonEmpty(rc::gen::container<std::string>(byte)),
      [](const std::string& s) { return s != "." && s != ".." && s.size() < 20; });
  return rc::gen::build<Meant>(
      rc::gen::set(&Meant::verb, rc::gen::element<std::string>("GET", "POST", "PUT", "DELETE")),
      rc::gen::set(&Meant::segments,
                   rc::gen::resize(8, rc::gen::nonEmpty(
                                          rc::gen::container<std::vector<std::string>>(segment)))),
      rc::gen::set(&Meant::body, rc::gen::resize(90, rc::gen::arbitrary<std::string>())),
      rc::gen::set(&Meant::chunks, rc::gen::resize(4, rc::gen::container<std::vector<std::size_t>>(
                                                          rc::gen::inRange<std::size_t>(1, 40)))),
      rc::gen::set(&Meant::escape_all));
}

/// `whole`, cut in pieces of random sizes.
std::vector<std::string_view> any_pieces(std::string_view whole) {
  std::vector<std::string_view> pieces;
  while (!whole.empty()) {
    const auto size = std::min<std::size_t>(*rc::gen::inRange<std::size_t>(1, 60), whole.size());
    pieces.push_back(whole.substr(0, size));
    whole.remove_prefix(size);
  }
  return pieces;
}

TEST_CASE("http property: pipelined requests come out as they were meant, however written") {
  CHECK(rc::check([] {
    const auto meant = *rc::gen::resize(5, rc::gen::container<std::vector<Meant>>(any_request()));
    std::string conversation;
    for (const Meant& request : meant) conversation += written(request);
    ClientSettings settings = client_settings();
    settings.head_bytes = 10'000;
    const Heard heard = hear(any_pieces(conversation), settings);
    RC_ASSERT(heard.output.empty());
    RC_ASSERT(heard.methods.size() == meant.size());
    for (std::size_t i = 0; i < meant.size(); ++i) {
      RC_ASSERT(heard.methods[i] == meant[i].verb + " " + path_of(meant[i]));
      RC_ASSERT(heard.payloads[i].ends_with("\r\n\r\n" + meant[i].body));
    }
  }));
}

TEST_CASE("http property: chunked or not, a body makes the same payload and the same digest") {
  CHECK(rc::check([] {
    Meant request = *any_request();
    request.chunks = {*rc::gen::inRange<std::size_t>(1, 40)};
    const std::string chunked = written(request);
    request.chunks.clear();
    const std::string plain = written(request);
    ClientSettings settings = client_settings();
    settings.head_bytes = 10'000;
    RC_PRE(request.verb != "GET" || !request.body.empty());
    RC_ASSERT(hear(any_pieces(chunked), settings).payloads == hear({plain}, settings).payloads);
  }));
}

}  // namespace
}  // namespace zap::http
