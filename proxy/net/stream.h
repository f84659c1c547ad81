// proxy/net/stream.h - a connection: bytes in and out, over TCP, a Unix socket or TLS.
//
// Wraps a libevent bufferevent. Reading is pulled: on_readable is called, its owner takes what it
// can use and leaves the rest. Writing never blocks and never fails: output_size() tells how much
// waits, on_drained when little is left; a broken connection shows as on_closed. The destructor
// closes at once and calls nobody; destroying a Stream inside its own callbacks is fine.
//
// Threads: its loop's.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/address.h"
#include "core/bytes.h"
#include "core/time.h"
#include "proxy/net/event_loop.h"

struct ssl_st;

namespace zap {

/// An open file descriptor with one owner.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  ~Socket();
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept;

  int fd() const { return fd_; }
  int release();

 private:
  int fd_;
};

/// One TLS connection's OpenSSL state, made by proxy/net/tls.h.
struct TlsSessionDelete {
  void operator()(ssl_st* ssl) const;
};
using TlsSession = std::unique_ptr<ssl_st, TlsSessionDelete>;

struct StreamHandlers {
  std::function<void()> on_open;  ///< connected, and past our half of the TLS handshake
  std::function<void()> on_readable;
  std::function<void()> on_drained;  ///< output fell to set_drained_at or below
  /// The connection is over and nothing else will be called: `reason` in a few words, empty
  /// where the other side closed in order.
  std::function<void(const std::string& reason)> on_closed;
};

class Stream {
 public:
  /// Connects; on_open or on_closed follows, never from within the constructor. With `tls`, as
  /// its client.
  Stream(EventLoop& loop, const Address& to, StreamHandlers handlers, TlsSession tls = nullptr);
  /// Takes over an accepted socket; on_open follows only with `tls`, as its server.
  Stream(EventLoop& loop, Socket accepted, StreamHandlers handlers, TlsSession tls = nullptr);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // ------------------------------------------------------------ reading

  std::size_t readable() const;
  /// The first `size` bytes, left where they are; `size` must not exceed readable(). Valid until
  /// the next call here.
  std::string_view peek(std::size_t size);
  /// Removes the first `size` bytes and hands them out as one piece.
  Bytes take(std::size_t size);
  Bytes take_all() { return take(readable()); }
  void drop(std::size_t size);

  /// While paused nothing more is read; the other side feels it once the buffers are full.
  void pause_reading();
  /// on_readable follows where bytes are left that were not taken.
  void resume_reading();
  /// Stops reading by itself while so many bytes wait to be taken. A take that leaves fewer
  /// resumes it. 0: no limit.
  void set_input_limit(std::size_t bytes);

  /// Has the kernel acknowledge at once what came: an application that writes an answer in two
  /// pieces (Nagle's algorithm) waits for that, and the kernel would take 40 ms.
  void acknowledge();

  // ------------------------------------------------------------ writing

  /// Without a copy where that is worth it.
  void write(Bytes bytes);
  void write_copy(std::string_view bytes);
  std::size_t output_size() const;
  void set_drained_at(std::size_t bytes);
  /// Sends what waits and ends our half of the connection; on_closed follows once the other side
  /// has ended its own, or has been given limits::kLingerTime for that. What still arrives is
  /// dropped: closed on top of it, the connection would be reset and the last words lost.
  void close_when_sent();

  // ------------------------------------------------------------ life

  /// Closes with a reason when nothing could be read for so long. Zero: never.
  void set_idle_timeout(Duration timeout);
  /// Closes with a reason when output waits and the other side took nothing for so long. Zero:
  /// never.
  void set_stuck_timeout(Duration timeout);
  bool is_open() const;
  /// The other side's address as text, "127.0.0.1:40404"; what was dialled, while connecting.
  const std::string& remote() const;
  /// Its host alone, "127.0.0.1"; empty for a Unix socket.
  std::string remote_host() const;
  /// The socket, to ask the system about; -1 before there is one.
  int fd() const;
  /// For proxy/net/tls.h; null on a plain stream.
  ssl_st* tls() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace zap
