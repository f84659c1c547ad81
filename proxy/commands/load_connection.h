// proxy/commands/load_connection.h - one client of the load generator: HTTP/1.1, kept alive, one
// call at a time. Connects again by itself, a moment after it broke.
//
// Threads: lives on its event loop.

#pragma once

#include <llhttp.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/address.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/stream.h"

namespace zap {

struct LoadHandlers {
  /// The connection is up and idle: at first, and again after it broke.
  std::function<void()> on_connected;
  /// The call in flight was answered; idle() unless the target said that it closes.
  std::function<void(int status)> on_answered;
  /// It broke, or never came up. `in_flight`: with a call unanswered.
  std::function<void(bool in_flight, const std::string& why)> on_broken;
};

class LoadConnection {
 public:
  LoadConnection(EventLoop& loop, Address target, LoadHandlers handlers);
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  bool idle() const { return up_ && !in_flight_; }
  /// Sends one whole request. The connection must be idle.
  void send(std::string_view request);

 private:
  void connect();
  void read();
  void broken(const std::string& why);

  EventLoop& loop_;
  const Address target_;
  const LoadHandlers handlers_;
  std::optional<Stream> stream_;
  Timer reconnect_;
  llhttp_t parser_{};
  bool up_ = false;
  bool in_flight_ = false;
  bool complete_ = false;  ///< set by the parser: an answer has ended
};

}  // namespace zap
