// adapters/http/message_parser.h - the door to llhttp: one HTTP/1 message after another.
//
// A head is handed out whole, as views into one piece of memory, so nobody else has to join
// fragments; a body is appended, decoded, to a string of the caller's. On top of llhttp's strict
// mode stand our own rules (line_guard.h and check_head): whatever two parsers could read in two
// ways is an error here.
//
// Threads: lives with its session.

#pragma once

#include <llhttp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/http/line_guard.h"
#include "core/result.h"

namespace zap::http {

struct Header {
  std::string_view name;
  std::string_view value;  ///< without blanks around it
};

struct Head {
  std::string_view method;  ///< of requests
  std::string_view target;  ///< of requests, as it came
  int status = 0;           ///< of responses
  std::string_view reason;  ///< of responses
  int minor_version = 1;    ///< HTTP/1.minor_version
  std::vector<Header> headers;
  bool chunked = false;
  std::optional<std::uint64_t> content_length;  ///< as declared
  bool keep_alive = true;  ///< what version and Connection say about the connection afterwards

  /// The value of the first header of that name, given in lower case.
  std::optional<std::string_view> find(std::string_view lower_name) const;
};

/// What a peer sent is not acceptable; `kind` decides the status that it is told.
struct ParseError {
  enum class Kind : std::uint8_t { kMalformed, kHeadTooLarge, kBodyTooLarge };
  Kind kind = Kind::kMalformed;
  std::string message;
};

class MessageParser {
 public:
  enum class Side : std::uint8_t { kRequests, kResponses };
  struct Limits {
    std::size_t head_bytes;
    std::size_t header_count;
    std::size_t body_bytes;
  };
  enum class Progress : std::uint8_t {
    kMore,     ///< all input is used up
    kHead,     ///< head() is there; its views hold until the next call
    kMessage,  ///< the message is complete; the next call begins another
    kError,    ///< error() says what; the parser takes nothing more
  };

  MessageParser(Side side, Limits limits);
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;

  /// Takes bytes from the front of `input`. Body bytes are appended to `body`, of which those there
  /// already at kHead do not count against the limit.
  Progress parse(std::string_view& input, std::string& body);

  /// The peer has closed: true when that completes the response under way.
  bool finish();

  /// The response that comes next has no body whatever its headers say (it answers a HEAD).
  void expect_no_body(bool none) { expect_no_body_ = none; }

  const Head& head() const { return head_; }
  const ParseError& error() const { return error_; }
  /// Bytes kept of a head that is not complete.
  std::size_t partial_head_bytes() const {
    return state_ == State::kHead ? partial_head_.size() : 0;
  }

 private:
  enum class State : std::uint8_t { kHead, kHeadDone, kBody, kMessageDone, kFailed };

  Progress parse_head(std::string_view& input);
  Progress parse_body(std::string_view& input, std::string& body);
  Progress fail(ParseError::Kind kind, std::string message);
  bool check_head();
  bool check_framing(const char* end);
  void begin_message();

  static int on_header_field(llhttp_t* parser, const char* at, std::size_t size);
  static int on_header_value(llhttp_t* parser, const char* at, std::size_t size);
  static int on_url(llhttp_t* parser, const char* at, std::size_t size);
  static int on_status(llhttp_t* parser, const char* at, std::size_t size);
  static int on_headers_complete(llhttp_t* parser);
  static int on_body(llhttp_t* parser, const char* at, std::size_t size);
  static int on_message_complete(llhttp_t* parser);
  static const llhttp_settings_t& callbacks();

  const Side side_;
  const Limits limits_;
  llhttp_t parser_;
  State state_ = State::kHead;
  bool expect_no_body_ = false;
  bool head_complete_ = false;     ///< says llhttp
  bool message_complete_ = false;  ///< says llhttp

  LineGuard guard_;
  std::string partial_head_;      ///< a head that came in several pieces
  std::size_t scanned_head_ = 0;  ///< bytes of it that the guard has seen, blank lines included
  Head head_;
  ParseError error_;

  std::string* body_ = nullptr;  ///< only inside parse_body
  std::size_t body_bytes_ = 0;
  const char* framing_ = nullptr;  ///< begin of the bytes that are not body, only inside parse_body
  std::size_t framing_bytes_ = 0;
};

}  // namespace zap::http
