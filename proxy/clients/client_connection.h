// proxy/clients/client_connection.h - one client: a stream of bytes, and the session that
// understands it.
//
// What the client sends goes to the session as it arrives; answers are collected and written once
// a loop turn. Reading stops while too many of its calls wait, while too much of its output does,
// and while its owner says so: the kernel's buffers fill, and the client feels it.
//
// Threads: lives on one loop.

#pragma once

#include <cstddef>
#include <memory>

#include "adapters/adapter.h"
#include "proxy/clients/client.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/stream.h"

namespace zap {

class ClientConnection;

class ClientConnectionOwner {
 public:
  virtual ~ClientConnectionOwner() = default;
  virtual void called(ClientConnection& connection, ClientCall call) = 0;
  /// There is output: flush() is wanted at the end of this turn.
  virtual void has_output(ClientConnection& connection) = 0;
  /// It is over: drop it.
  virtual void closed(ClientConnection& connection) = 0;
};

class ClientConnection final : public Client,
                               public std::enable_shared_from_this<ClientConnection> {
 public:
  /// `owner` outlives it. One that is not admitted has its first call refused and is closed.
  ClientConnection(EventLoop& loop, Socket socket, const Protocol& protocol,
                   ClientSettings settings, ClientConnectionOwner& owner, bool admitted);

  void answer(std::uint64_t sequence, const Answer& answer) override;
  void refuse(std::uint64_t sequence, const ProxyError& error) override;

  /// Writes what this turn brought.
  void flush();
  void pause(bool paused);
  /// How long it may be silent.
  void set_idle_timeout(Duration timeout) { stream_.set_idle_timeout(timeout); }

 private:
  void read();
  void output_changed();
  void adjust_reading();

  ClientConnectionOwner& owner_;
  const bool admitted_;
  Output output_;
  bool announced_ = false;  ///< has_output was said
  bool paused_ = false;     ///< by the owner
  bool reading_ = true;
  bool closing_ = false;
  Stream stream_;
  const std::unique_ptr<ClientSession> session_;
};

}  // namespace zap
