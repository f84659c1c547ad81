#include "adapters/http/app_session.h"

#include <utility>

#include "adapters/http/errors.h"
#include "adapters/http/fields.h"
#include "adapters/http/text.h"

namespace zap::http {
namespace {

/// Responses of status 1xx before the final one: 100 Continue, 103 Early Hints.
constexpr unsigned kInterimMost = 16;

Error invalid(std::string reason) {
  return {ErrorCode::kInvalid,
          "the application's answer is not valid HTTP/1.1: " + std::move(reason)};
}

void append_delivery(const Delivery& delivery, std::string& head) {
  append_field(head, "Zap-Index", std::to_string(delivery.index));
  append_field(head, "Zap-Timestamp", std::to_string(delivery.timestamp));
  head += "Zap-Seed: ";
  append_hex(head, delivery.seed);
  head += "\r\n";
  append_field(head, "Zap-Op-Id", delivery.operation_id);
  append_field(head, "Zap-Node", delivery.node);
  if (delivery.replay) append_field(head, "Zap-Replay", "true");
}

}  // namespace

HttpAppSession::HttpAppSession(AppSettings settings)
    : settings_(settings),
      parser_(MessageParser::Side::kResponses,
              {settings.head_bytes, settings.header_count, settings.response_bytes}) {}

void HttpAppSession::deliver(const Bytes& payload, const std::optional<Delivery>& delivery,
                             const Comparison& comparison, Output& output) {
  ZAP_CHECK(reusable_, "a call is delivered on a connection that closes");
  const std::size_t request_line = payload.view().find('\n') + 1;
  std::string head(payload.view().substr(0, request_line));
  waiting_.push_back({head.starts_with("HEAD "), &comparison});
  if (delivery) append_delivery(*delivery, head);
  output.append(std::string_view(head));
  output.append(payload.slice(request_line, payload.size() - request_line));
}

Result<std::vector<AppReply>> HttpAppSession::feed(std::string_view bytes) {
  std::vector<AppReply> replies;
  std::string no_body_yet;
  for (;;) {
    if (waiting_.empty()) {
      if (bytes.empty()) return replies;
      reusable_ = false;
      // What was answered before counts: the call must not be executed again.
      if (!replies.empty()) return replies;
      return invalid("it sent " + std::to_string(bytes.size()) + " bytes that nobody asked for");
    }
    const Waiting& next = waiting_.front();
    parser_.expect_no_body(next.is_head);
    switch (parser_.parse(bytes, draft_ ? draft_->message.sink() : no_body_yet)) {
      case MessageParser::Progress::kMore:
        return replies;
      case MessageParser::Progress::kHead:
        if (parser_.head().status == 101) {
          reusable_ = false;
          return invalid("it switches protocols, which nobody asked for");
        }
        draft_ = draft_response(parser_.head(), next.is_head, *next.comparison);
        break;
      case MessageParser::Progress::kMessage:
        if (parser_.head().status / 100 == 1) {  // RFC 9110, 15.2: the final response follows
          draft_.reset();
          if (++interim_ <= kInterimMost) break;
          reusable_ = false;
          return invalid("it sent more than " + std::to_string(kInterimMost) +
                         " interim responses to one request");
        } else {
          replies.push_back(take_reply());
        }
        break;
      case MessageParser::Progress::kError:
        reusable_ = false;
        if (parser_.error().kind == ParseError::Kind::kMalformed) {
          if (!replies.empty()) return replies;
          return invalid(parser_.error().message);
        }
        replies.push_back(too_large());
        return replies;
    }
  }
}

std::optional<AppReply> HttpAppSession::closed() {
  reusable_ = false;
  if (waiting_.empty() || !draft_ || !parser_.finish()) return std::nullopt;
  return take_reply();
}

AppReply HttpAppSession::take_reply() {
  const Comparison& comparison = *waiting_.front().comparison;
  waiting_.pop_front();
  interim_ = 0;
  reusable_ &= parser_.head().keep_alive;
  AppReply reply = finish_response(std::move(*draft_), comparison);
  draft_.reset();
  return reply;
}

/// Compared like an answer of the application, so that another node can check it as one.
AppReply HttpAppSession::too_large() {
  const Waiting waiting = waiting_.front();
  waiting_.pop_front();
  draft_.reset();
  Bytes text = render_error(
      {ProxyErrorCode::kTooLarge,
       "the application's answer is too large to be replicated: its body may have " +
           std::to_string(settings_.response_bytes) + " bytes (limits.response_bytes), its head " +
           std::to_string(settings_.head_bytes)},
      502, ConnectionField::kNone, waiting.is_head);
  HttpAppSession reading({});
  reading.waiting_.push_back(waiting);
  AppReply result = std::move(reading.feed(text.view()).value().front());
  result.reply.payload = std::move(text);
  return result;
}

}  // namespace zap::http
