// adapters/http/draft.h - a normalized message while it is being written.
//
// Every payload is one ready-to-send HTTP/1.1 message whose last header is Content-Length. Where
// the length is known from the start, a body goes straight behind the head, so it is copied once
// between the socket and the payload; where it is not, the two are joined at the end.

#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace zap::http {

class Draft {
 public:
  /// The head under way: a first line and headers, each with its CR LF.
  std::string& head() { return message_; }

  /// The head is written. A known length is 0 where the message has no body.
  void begin_body(std::optional<std::uint64_t> length) {
    length_known_ = length.has_value();
    if (length_known_) end_head(*length);
  }

  /// As begin_body(0), without a Content-Length, or with one that no body follows.
  void no_body(std::optional<std::uint64_t> declared_length) {
    length_known_ = true;
    if (declared_length) return end_head(*declared_length, 0);
    message_ += "\r\n";
    body_at_ = message_.size();
  }

  /// Where the decoded body goes.
  std::string& sink() { return length_known_ ? message_ : body_; }

  std::string_view body() const {
    return length_known_ ? std::string_view(message_).substr(body_at_) : std::string_view(body_);
  }

  /// Of what is written so far.
  std::size_t size() const { return message_.size() + body_.size(); }

  /// The whole message. The draft is empty afterwards.
  std::string finish() {
    if (!length_known_) {
      end_head(body_.size());
      message_ += body_;
    }
    body_.clear();
    return std::exchange(message_, {});
  }

 private:
  void end_head(std::uint64_t length) { end_head(length, length); }

  void end_head(std::uint64_t declared, std::uint64_t expected) {
    constexpr std::uint64_t kReserved = 64 * 1024;  // a promise is no reason to hold more
    constexpr std::size_t kLengthField = 48;
    message_.reserve(message_.size() + kLengthField + std::min(expected, kReserved));
    message_.append("Content-Length: ").append(std::to_string(declared)).append("\r\n\r\n");
    body_at_ = message_.size();
  }

  std::string message_;
  std::string body_;
  std::size_t body_at_ = 0;
  bool length_known_ = false;
};

}  // namespace zap::http
