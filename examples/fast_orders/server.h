// examples/fast_orders/server.h - a small HTTP/1.1 server over State, a few microseconds a call.
//
//   POST /kv/{key}   the body becomes the value   -> 200 {"id":N}, N counting all writes
//   GET  /kv/{key}                                -> 200 and the value, or 404
//   GET  /digest                                  -> 200 {"writes":N,"keys":K,"digest":"hex"}
//   GET  /history                                 -> 200, one fingerprint a line, oldest first
//   GET  /_zap/applied                            -> 200 and the last Zap-Index executed, or 0
//
// Threads: one, the event loop's.

#pragma once

#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>

#include <memory>

#include "examples/fast_orders/state.h"

namespace fast_orders {

class Server {
 public:
  explicit Server(event_base* base) : base_(base) {}
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// False where the address cannot be had; errno says why.
  bool listen(const sockaddr_in& address);

 private:
  struct ListenerFree {
    void operator()(evconnlistener* listener) const { evconnlistener_free(listener); }
  };

  static void on_accept(evconnlistener*, evutil_socket_t socket, sockaddr*, int, void* self);

  event_base* const base_;
  std::unique_ptr<evconnlistener, ListenerFree> listener_;
  State state_;
};

}  // namespace fast_orders
