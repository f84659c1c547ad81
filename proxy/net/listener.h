// proxy/net/listener.h - a listening socket, TCP or Unix.
//
// Out of file descriptors, it rests for a moment and goes on: the connections wait in the
// kernel's queue. So they do after a few in one turn, so that a flood of them leaves time for those
// who are connected. Destroying it closes the socket and removes a Unix path.
//
// Threads: its loop's.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/address.h"
#include "core/result.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/stream.h"

namespace zap {

class Listener {
 public:
  using Accepted = std::function<void(Socket socket)>;

  /// The port is open when this returns; port 0 takes any free one. A Unix path that nobody
  /// listens on any more is taken over.
  static Result<std::unique_ptr<Listener>> open(EventLoop& loop, const Address& address,
                                                Accepted accepted);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Where it listens, with the port that it got.
  const Address& address() const;

  void pause();
  void resume();

 private:
  struct Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zap
