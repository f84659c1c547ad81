#include "adapters/http/message_parser.h"

#include <algorithm>

#include "adapters/http/text.h"

namespace zap::http {
namespace {

MessageParser& self(llhttp_t* parser) { return *static_cast<MessageParser*>(parser->data); }

bool never_has_body(int status) { return status / 100 == 1 || status == 204 || status == 304; }

}  // namespace

std::optional<std::string_view> Head::find(std::string_view lower_name) const {
  for (const Header& header : headers) {
    if (equals(header.name, lower_name)) return header.value;
  }
  return std::nullopt;
}

const llhttp_settings_t& MessageParser::callbacks() {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_url = on_url;
    made.on_status = on_status;
    made.on_header_field = on_header_field;
    made.on_header_value = on_header_value;
    made.on_headers_complete = on_headers_complete;
    made.on_body = on_body;
    made.on_message_complete = on_message_complete;
    return made;
  }();
  return settings;
}

MessageParser::MessageParser(Side side, Limits limits) : side_(side), limits_(limits) {
  llhttp_init(&parser_, side == Side::kRequests ? HTTP_REQUEST : HTTP_RESPONSE, &callbacks());
  parser_.data = this;
}

MessageParser::Progress MessageParser::parse(std::string_view& input, std::string& body) {
  switch (state_) {
    case State::kMessageDone:
      begin_message();
      [[fallthrough]];
    case State::kHead:
      return parse_head(input);
    case State::kHeadDone:
      if (message_complete_) {
        state_ = State::kMessageDone;
        return Progress::kMessage;
      }
      state_ = State::kBody;
      [[fallthrough]];
    case State::kBody:
      return parse_body(input, body);
    case State::kFailed:
      return Progress::kError;
  }
  return Progress::kError;
}

void MessageParser::begin_message() {
  state_ = State::kHead;
  head_complete_ = false;
  message_complete_ = false;
  guard_.restart();
  partial_head_.clear();
  scanned_head_ = 0;
  body_bytes_ = 0;
  framing_bytes_ = 0;
}

MessageParser::Progress MessageParser::parse_head(std::string_view& input) {
  const LineGuard::Scan scan = guard_.scan(input);
  if (scan.verdict == LineGuard::Verdict::kBad) {
    return fail(ParseError::Kind::kMalformed, scan.reason);
  }
  scanned_head_ += scan.consumed;
  if (scanned_head_ > limits_.head_bytes) {
    return fail(ParseError::Kind::kHeadTooLarge, "the head is longer than " +
                                                     std::to_string(limits_.head_bytes) +
                                                     " bytes; send fewer or shorter headers");
  }
  const bool first_piece = partial_head_.empty();
  const std::string_view piece = input.substr(0, scan.consumed);
  input.remove_prefix(scan.consumed);
  if (!first_piece || scan.verdict == LineGuard::Verdict::kMore) partial_head_ += piece;
  if (scan.verdict == LineGuard::Verdict::kMore) return Progress::kMore;

  const std::string_view head = first_piece ? piece : std::string_view(partial_head_);
  if (head == "\r\n" && side_ == Side::kRequests) {  // RFC 9112, 2.2: before a request-line
    guard_.restart();
    partial_head_.clear();
    return parse_head(input);
  }

  head_.headers.clear();
  head_.method = head_.target = head_.reason = {};
  const llhttp_errno_t result = llhttp_execute(&parser_, head.data(), head.size());
  if (result != HPE_OK && result != HPE_PAUSED) {
    const char* reason = llhttp_get_error_reason(&parser_);
    return fail(ParseError::Kind::kMalformed, reason && *reason ? reason : "not a valid head");
  }
  if (!head_complete_) {
    return fail(ParseError::Kind::kMalformed, "an empty line stands where a message begins");
  }
  head_.keep_alive = llhttp_should_keep_alive(&parser_) != 0;
  if (result == HPE_PAUSED) llhttp_resume(&parser_);
  if (!check_head()) return Progress::kError;
  state_ = State::kHeadDone;
  return Progress::kHead;
}

// RFC 9112, 3.2 and 6.1 to 6.3, without the choices that they leave to a recipient.
bool MessageParser::check_head() {
  const auto malformed = [this](std::string message) {
    fail(ParseError::Kind::kMalformed, std::move(message));
    return false;
  };
  if (head_.headers.size() > limits_.header_count) {
    fail(ParseError::Kind::kHeadTooLarge, std::to_string(head_.headers.size()) +
                                              " headers; the limit is " +
                                              std::to_string(limits_.header_count));
    return false;
  }
  if (parser_.http_major != 1 || parser_.http_minor > 1) {
    return malformed("the version is neither HTTP/1.1 nor HTTP/1.0");
  }
  int hosts = 0;
  int lengths = 0;
  int encodings = 0;
  head_.content_length.reset();
  for (Header& header : head_.headers) {
    header.value = trim(header.value);
    if (header.name.empty()) return malformed("a header has no name");
    if (equals(header.name, "host")) {
      ++hosts;
      if (header.value.find_first_of(" \t,/?#@\\") != std::string_view::npos) {
        return malformed("Host is not a host and port");
      }
    } else if (equals(header.name, "content-length")) {
      ++lengths;
      head_.content_length = parse_number(header.value);
      if (!head_.content_length) return malformed("Content-Length is not a number");
    } else if (equals(header.name, "transfer-encoding")) {
      ++encodings;
      if (!equals(header.value, "chunked")) {
        return malformed("Transfer-Encoding is not exactly 'chunked', the only coding taken here");
      }
    }
  }
  if (lengths > 1) return malformed("Content-Length is given twice");
  if (encodings > 1) return malformed("Transfer-Encoding is given twice");
  if (encodings == 1 && lengths == 1) {
    return malformed("both Content-Length and Transfer-Encoding are given");
  }
  if (encodings == 1 && head_.minor_version == 0) {
    return malformed("Transfer-Encoding in an HTTP/1.0 message");
  }
  if (side_ == Side::kRequests && (hosts > 1 || (hosts == 0 && head_.minor_version == 1))) {
    return malformed(hosts > 1 ? "Host is given twice" : "Host is missing");
  }
  head_.chunked = encodings == 1;
  if (!message_complete_ && head_.content_length.value_or(0) > limits_.body_bytes) {
    fail(ParseError::Kind::kBodyTooLarge, "a body of " + std::to_string(*head_.content_length) +
                                              " bytes; the limit is " +
                                              std::to_string(limits_.body_bytes));
    return false;
  }
  return true;
}

MessageParser::Progress MessageParser::parse_body(std::string_view& input, std::string& body) {
  body_ = &body;
  framing_ = input.data();
  const llhttp_errno_t result = llhttp_execute(&parser_, input.data(), input.size());
  if (state_ == State::kFailed) return Progress::kError;  // a callback found it
  if (result != HPE_OK && result != HPE_PAUSED) {
    const char* reason = llhttp_get_error_reason(&parser_);
    return fail(ParseError::Kind::kMalformed, reason && *reason ? reason : "not a valid body");
  }
  const char* end =
      result == HPE_PAUSED ? llhttp_get_error_pos(&parser_) : input.data() + input.size();
  if (!check_framing(end)) return Progress::kError;
  input.remove_prefix(static_cast<std::size_t>(end - input.data()));
  if (result == HPE_OK) return Progress::kMore;
  llhttp_resume(&parser_);
  state_ = State::kMessageDone;
  return Progress::kMessage;
}

/// Chunk sizes, extensions and trailers up to `end`: what llhttp read that was not body.
bool MessageParser::check_framing(const char* end) {
  while (framing_ != end) {
    const LineGuard::Scan scan = guard_.scan({framing_, static_cast<std::size_t>(end - framing_)});
    if (scan.verdict == LineGuard::Verdict::kBad) {
      fail(ParseError::Kind::kMalformed, scan.reason);
      return false;
    }
    framing_ += scan.consumed;
    framing_bytes_ += scan.consumed;
  }
  // The smallest chunk, one byte, is framed by five.
  if (framing_bytes_ > limits_.head_bytes + 5 * body_bytes_) {
    fail(ParseError::Kind::kHeadTooLarge, "chunk extensions and trailers are longer than " +
                                              std::to_string(limits_.head_bytes) + " bytes");
    return false;
  }
  return true;
}

bool MessageParser::finish() {
  return state_ == State::kBody && llhttp_finish(&parser_) == HPE_PAUSED;
}

MessageParser::Progress MessageParser::fail(ParseError::Kind kind, std::string message) {
  error_ = {kind, std::move(message)};
  state_ = State::kFailed;
  return Progress::kError;
}

int MessageParser::on_url(llhttp_t* parser, const char* at, std::size_t size) {
  self(parser).head_.target = {at, size};
  return HPE_OK;
}

int MessageParser::on_status(llhttp_t* parser, const char* at, std::size_t size) {
  self(parser).head_.reason = {at, size};
  return HPE_OK;
}

int MessageParser::on_header_field(llhttp_t* parser, const char* at, std::size_t size) {
  MessageParser& me = self(parser);
  if (me.state_ == State::kHead) me.head_.headers.push_back({{at, size}, {}});
  return HPE_OK;  // a trailer otherwise: dropped
}

int MessageParser::on_header_value(llhttp_t* parser, const char* at, std::size_t size) {
  MessageParser& me = self(parser);
  if (me.state_ == State::kHead) me.head_.headers.back().value = {at, size};
  return HPE_OK;
}

int MessageParser::on_headers_complete(llhttp_t* parser) {
  MessageParser& me = self(parser);
  me.head_complete_ = true;
  parser->upgrade = 0;  // RFC 9110, 7.8: a server may ignore Upgrade; we do
  me.head_.minor_version = parser->http_minor;
  if (me.side_ == Side::kRequests) {
    me.head_.method = llhttp_method_name(static_cast<llhttp_method_t>(parser->method));
    return 0;
  }
  me.head_.status = parser->status_code;
  constexpr int kNoBody = 1;
  return me.expect_no_body_ || never_has_body(me.head_.status) ? kNoBody : 0;
}

int MessageParser::on_body(llhttp_t* parser, const char* at, std::size_t size) {
  MessageParser& me = self(parser);
  if (!me.check_framing(at)) return HPE_USER;
  me.framing_ = at + size;
  me.body_bytes_ += size;
  if (me.body_bytes_ > me.limits_.body_bytes) {
    me.fail(ParseError::Kind::kBodyTooLarge,
            "a body of more than " + std::to_string(me.limits_.body_bytes) + " bytes");
    return HPE_USER;
  }
  me.body_->append(at, size);
  return HPE_OK;
}

/// Stops llhttp here, so that it does not run on into the next message.
int MessageParser::on_message_complete(llhttp_t* parser) {
  self(parser).message_complete_ = true;
  return HPE_PAUSED;
}

}  // namespace zap::http
