#include "proxy/commands/load_connection.h"

#include <chrono>
#include <utility>

#include "core/check.h"

namespace zap {
namespace {

constexpr std::chrono::milliseconds kBeforeReconnect{50};

/// The parser's door: it only has to find where an answer ends.
const llhttp_settings_t& parser_callbacks() {
  static const llhttp_settings_t callbacks = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_message_complete = [](llhttp_t* parser) {
      *static_cast<bool*>(parser->data) = true;
      return static_cast<int>(HPE_PAUSED);
    };
    return made;
  }();
  return callbacks;
}

}  // namespace

LoadConnection::LoadConnection(EventLoop& loop, Address target, LoadHandlers handlers)
    : loop_(loop),
      target_(std::move(target)),
      handlers_(std::move(handlers)),
      reconnect_(loop, [this] { connect(); }) {
  connect();
}

void LoadConnection::connect() {
  llhttp_init(&parser_, HTTP_RESPONSE, &parser_callbacks());
  parser_.data = &complete_;
  stream_.emplace(loop_, target_,
                  StreamHandlers{.on_open =
                                     [this] {
                                       up_ = true;
                                       handlers_.on_connected();
                                     },
                                 .on_readable = [this] { read(); },
                                 .on_drained = {},
                                 .on_closed = [this](const std::string& why) { broken(why); }});
}

void LoadConnection::send(std::string_view request) {
  ZAP_CHECK(idle(), "a second call on a connection of the load generator");
  in_flight_ = true;
  stream_->write_copy(request);
}

void LoadConnection::read() {
  while (const std::size_t readable = stream_->readable()) {
    if (!in_flight_) return broken("an answer that nobody asked for");
    const std::string_view bytes = stream_->peek(readable);
    complete_ = false;
    const llhttp_errno_t outcome = llhttp_execute(&parser_, bytes.data(), bytes.size());
    if (!complete_) {
      if (outcome != HPE_OK) return broken("not an HTTP answer");
      stream_->drop(readable);
      continue;
    }
    stream_->drop(static_cast<std::size_t>(llhttp_get_error_pos(&parser_) - bytes.data()));
    llhttp_resume(&parser_);
    if (const int status = llhttp_get_status_code(&parser_); status >= 200) {
      in_flight_ = false;
      up_ = llhttp_should_keep_alive(&parser_) != 0;
      handlers_.on_answered(status);
    }
  }
}

void LoadConnection::broken(const std::string& why) {
  const bool lost_call = std::exchange(in_flight_, false);
  up_ = false;
  stream_.reset();
  reconnect_.after(kBeforeReconnect);
  handlers_.on_broken(lost_call, why.empty() ? "closed by the target" : why);
}

}  // namespace zap
