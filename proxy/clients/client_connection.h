// proxy/clients/client_connection.h - one client: a stream of bytes, and the session that
// understands it.
//
// What the client sends goes to the session call by call; answers are collected and written once a
// loop turn. No further call is taken while too many wait, while too much output does, and while
// its owner says so: the kernel's buffers fill, and the client feels it. A client has its time,
// too: for a call to arrive whole, to take what is sent, and for saying nothing at all.
//
// Threads: lives on one loop.

#pragma once

#include <cstddef>
#include <memory>

#include "adapters/adapter.h"
#include "core/limits.h"
#include "proxy/clients/client.h"
#include "proxy/clients/client_load.h"
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

/// How long a client may take.
struct ClientTimes {
  Duration request = std::chrono::seconds(10);  ///< from a call's first byte to its last
  Duration idle = limits::kClientIdleTime;      ///< between two bytes
  Duration stuck = limits::kClientStuckTime;    ///< to take any of what waits for it
};

class ClientConnection final : public Client,
                               public std::enable_shared_from_this<ClientConnection> {
 public:
  /// `load` and `owner` outlive it. One that is not admitted has its first call refused and is
  /// closed.
  ClientConnection(EventLoop& loop, Socket socket, const Protocol& protocol,
                   ClientSettings settings, const ClientTimes& times, ClientLoad& load,
                   ClientConnectionOwner& owner, bool admitted);
  ~ClientConnection() override;

  void answer(std::uint64_t sequence, const Answer& answer) override;
  void refuse(std::uint64_t sequence, const ProxyError& error) override;

  /// Writes what this turn brought.
  void flush();
  void pause(bool paused);

  const std::string& remote() const { return stream_.remote(); }
  /// Answers that the client has not taken.
  std::size_t output_bytes() const;
  /// Brings this connection's share of the load up to date.
  void count_load();

 private:
  void read();
  bool takes_calls() const;
  void watch_the_clock(bool call_completed);
  void out_of_time();
  void give_up(ProxyErrorCode code, std::string message);
  void output_changed();
  void adjust_reading();

  const ClientTimes times_;
  ClientLoad& load_;
  ClientConnectionOwner& owner_;
  const bool admitted_;
  Output output_;
  std::size_t answer_size_ = limits::kFirstAnswerBytes;  ///< to be expected
  bool announced_ = false;                               ///< has_output was said
  bool paused_ = false;                                  ///< by the owner
  bool reading_ = true;
  bool closing_ = false;
  std::size_t counted_unfinished_ = 0;  ///< our share in load_
  std::size_t counted_output_ = 0;
  Stream stream_;
  const std::unique_ptr<ClientSession> session_;
  Timer deadline_;  ///< for the call that is arriving; not admitted: for the whole connection
};

}  // namespace zap
