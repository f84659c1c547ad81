// fast_orders HOST:PORT - an application that is not the bottleneck: for benchmarks and heavy
// tests.

#include <event2/event.h>
#include <event2/util.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include "examples/fast_orders/server.h"

int main(int argc, char** argv) {
  sockaddr_in address{};
  int length = sizeof address;
  if (argc != 2 ||
      evutil_parse_sockaddr_port(argv[1], reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
      address.sin_family != AF_INET) {
    std::fprintf(stderr, "usage: fast_orders HOST:PORT, such as 127.0.0.1:5001\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const std::unique_ptr<event_base, decltype(&event_base_free)> base(event_base_new(),
                                                                     &event_base_free);
  fast_orders::Server server(base.get());
  if (!server.listen(address)) {
    std::fprintf(stderr, "fast_orders: cannot listen on %s: %s\n", argv[1], std::strerror(errno));
    return 1;
  }
  return event_base_dispatch(base.get()) == 0 ? 0 : 1;
}
