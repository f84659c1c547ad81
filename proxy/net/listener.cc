#include "proxy/net/listener.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/limits.h"

namespace zap {

namespace {

constexpr Duration kRestWithoutDescriptors = std::chrono::milliseconds(100);

Error cannot_listen(const Address& address, const std::string& why) {
  return {ErrorCode::kIo, "cannot listen on " + to_string(address) + ": " + why};
}

struct Place {
  sockaddr_storage address{};
  socklen_t size = 0;
};

Result<Place> place_of(const Address& address) {
  Place place;
  if (address.is_unix()) {
    auto& un = reinterpret_cast<sockaddr_un&>(place.address);
    if (address.unix_path.size() >= sizeof un.sun_path) {
      return cannot_listen(address, "the path is longer than the " +
                                        std::to_string(sizeof un.sun_path - 1) +
                                        " bytes that Unix sockets allow");
    }
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, address.unix_path.c_str(), address.unix_path.size() + 1);
    place.size = sizeof un;
    return place;
  }
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) return cannot_listen(address, gai_strerror(error));
  std::memcpy(&place.address, found->ai_addr, found->ai_addrlen);
  place.size = found->ai_addrlen;
  freeaddrinfo(found);
  return place;
}

/// A socket file that a process left behind when it died.
bool nobody_listens(const Place& place) {
  const Socket probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect(probe.fd(), reinterpret_cast<const sockaddr*>(&place.address), place.size) != 0 &&
         errno == ECONNREFUSED;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

struct Listener::Impl {
  Impl(EventLoop& loop, Address at, Accepted on_accepted)
      : address(std::move(at)),
        accepted(std::move(on_accepted)),
        rest(loop, [this] { adjust(); }) {}
  ~Impl() {
    if (listener) evconnlistener_free(listener);
    if (listener && address.is_unix()) unlink(address.unix_path.c_str());
  }

  void take(Socket socket) {
    if (++taken == limits::kAcceptsPerTurn) rest_for(Duration(0));  // the next turn
    accepted(std::move(socket));
  }

  void rest_for(Duration time) {
    taken = 0;
    rest.after(time);
    adjust();
  }

  void adjust() {
    if (paused || rest.pending()) {
      evconnlistener_disable(listener);
    } else {
      evconnlistener_enable(listener);
    }
  }

  Address address;
  Accepted accepted;
  Timer rest;
  evconnlistener* listener = nullptr;
  bool paused = false;
  unsigned taken = 0;  ///< since it rested
};

Result<std::unique_ptr<Listener>> Listener::open(EventLoop& loop, const Address& address,
                                                 Accepted accepted) {
  const Result<Place> place = place_of(address);
  if (!place) return place.error();
  if (address.is_unix() && nobody_listens(*place)) unlink(address.unix_path.c_str());

  auto impl = std::make_unique<Impl>(loop, address, std::move(accepted));
  impl->listener = evconnlistener_new_bind(
      loop.base(),
      [](evconnlistener*, evutil_socket_t fd, sockaddr*, int, void* impl_pointer) {
        static_cast<Impl*>(impl_pointer)->take(Socket(fd));
      },
      impl.get(), LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, SOMAXCONN,
      reinterpret_cast<const sockaddr*>(&place->address), static_cast<int>(place->size));
  if (!impl->listener) return cannot_listen(address, std::strerror(errno));
  evconnlistener_set_error_cb(impl->listener, [](evconnlistener*, void* impl_pointer) {
    static_cast<Impl*>(impl_pointer)->rest_for(kRestWithoutDescriptors);
  });
  if (!address.is_unix()) impl->address.port = port_of(evconnlistener_get_fd(impl->listener));
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() = default;

const Address& Listener::address() const { return impl_->address; }

void Listener::pause() {
  impl_->paused = true;
  impl_->adjust();
}

void Listener::resume() {
  impl_->paused = false;
  impl_->adjust();
}

}  // namespace zap
