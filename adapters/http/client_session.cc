#include "adapters/http/client_session.h"

#include <utility>

#include "adapters/http/errors.h"
#include "adapters/http/text.h"

namespace zap::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

ConnectionField connection_field(const Head& head) {
  if (!head.keep_alive) return ConnectionField::kClose;
  return head.minor_version == 0 ? ConnectionField::kKeepAlive : ConnectionField::kNone;
}

}  // namespace

HttpClientSession::HttpClientSession(ClientSettings settings)
    : settings_(std::move(settings)),
      parser_(MessageParser::Side::kRequests,
              {settings_.head_bytes, settings_.header_count, settings_.request_bytes}) {}

std::optional<ClientCall> HttpClientSession::feed(std::string_view& bytes, Output& output) {
  std::string no_body_yet;
  while (!stopped_) {
    switch (parser_.parse(bytes, draft_ ? draft_->message.sink() : no_body_yet)) {
      case MessageParser::Progress::kMore:
        return std::nullopt;
      case MessageParser::Progress::kHead:
        begin_request(output, !bytes.empty());
        break;
      case MessageParser::Progress::kMessage:
        return end_request();
      case MessageParser::Progress::kError:
        stop_with_parse_error(output);
        break;
    }
  }
  bytes = {};
  return std::nullopt;
}

std::size_t HttpClientSession::unfinished_bytes() const {
  if (stopped_) return 0;
  return draft_ ? draft_->message.size() : parser_.partial_head_bytes();
}

void HttpClientSession::give_up(const ProxyError& error, Output& output) {
  if (!stopped_) stop_with(error, status_of(error.code), output);
}

void HttpClientSession::begin_request(Output& output, bool body_is_here) {
  const Head& head = parser_.head();
  next_slot_ = Slot{head.method == "HEAD", connection_field(head), false, {}};
  Result<RequestDraft> draft = draft_request(head, settings_);
  if (!draft) {
    return stop_with({ProxyErrorCode::kMalformed, draft.error().message}, 400, output);
  }
  draft_ = std::move(*draft);
  const bool body_follows = head.chunked || head.content_length.value_or(0) > 0;
  if (head.minor_version == 1 && body_follows && !body_is_here && head.find("expect")) {
    if (slots_.empty()) {
      output.append(kContinue);
    } else {
      owes_continue_ = true;
    }
  }
}

ClientCall HttpClientSession::end_request() {
  ClientCall call = finish_request(std::move(*draft_));
  draft_.reset();
  owes_continue_ = false;
  call.sequence = first_ + slots_.size();
  stopped_ = next_slot_.connection == ConnectionField::kClose;
  slots_.push_back(std::exchange(next_slot_, {}));
  return call;
}

void HttpClientSession::stop_with_parse_error(Output& output) {
  const ParseError& error = parser_.error();
  switch (error.kind) {
    case ParseError::Kind::kMalformed:
      return stop_with({ProxyErrorCode::kMalformed, "the request is malformed: " + error.message},
                       400, output);
    case ParseError::Kind::kHeadTooLarge:
      return stop_with({ProxyErrorCode::kTooLarge, "the request is too large: " + error.message},
                       431, output);
    case ParseError::Kind::kBodyTooLarge:
      return stop_with({ProxyErrorCode::kTooLarge,
                        "the request is too large: " + error.message + " (limits.request_bytes)"},
                       413, output);
  }
}

void HttpClientSession::stop_with(const ProxyError& error, int status, Output& output) {
  stopped_ = true;
  draft_.reset();
  owes_continue_ = false;
  slots_.push_back({next_slot_.answers_head, ConnectionField::kClose, false, {}});
  put(first_ + slots_.size() - 1, output, [&](const Slot& slot, Output& out) {
    out.append(std::string_view(render_error(error, status, slot.connection, slot.answers_head)));
  });
}

void HttpClientSession::answer(std::uint64_t sequence, const Answer& answer, Output& output) {
  put(sequence, output,
      [&](const Slot& slot, Output& out) { write_answer(answer, slot.connection, out); });
}

void HttpClientSession::refuse(std::uint64_t sequence, const ProxyError& error, Output& output) {
  put(sequence, output, [&](const Slot& slot, Output& out) {
    out.append(std::string_view(render_error(error, slot.connection, slot.answers_head)));
  });
}

HttpClientSession::Slot& HttpClientSession::slot_of(std::uint64_t sequence) {
  ZAP_CHECK(sequence >= first_ && sequence - first_ < slots_.size(),
            "no request " << sequence << " waits; first " << first_ << " of " << slots_.size());
  return slots_[sequence - first_];
}

template <typename Write>
void HttpClientSession::put(std::uint64_t sequence, Output& output, Write write) {
  Slot& slot = slot_of(sequence);
  ZAP_CHECK(!slot.answered, "request " << sequence << " is answered twice");
  slot.answered = true;
  if (sequence != first_) {
    write(slot, slot.waiting);
    held_back_bytes_ += slot.waiting.size();
    return;
  }
  write(slot, output);
  slots_.pop_front();
  ++first_;
  let_go(output);
}

void HttpClientSession::let_go(Output& output) {
  while (!slots_.empty() && slots_.front().answered) {
    held_back_bytes_ -= slots_.front().waiting.size();
    output.append(slots_.front().waiting);
    slots_.pop_front();
    ++first_;
  }
  if (slots_.empty() && std::exchange(owes_continue_, false)) output.append(kContinue);
}

}  // namespace zap::http
