#include "proxy/net/stream.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "core/check.h"
#include "core/limits.h"
#include "proxy/net/tls.h"

namespace zap {

namespace {

/// Below this a copy is cheaper than an owner of its own.
constexpr std::size_t kCopyBelow = 4'096;

std::string address_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN];
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(in.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(in.sin6_port));
  }
  return "unix";
}

std::string remote_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "unknown";
  return address_text(address);
}

timeval to_timeval(Duration duration) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return {.tv_sec = micros / 1'000'000, .tv_usec = micros % 1'000'000};
}

}  // namespace

// ---------------------------------------------------------------- Socket

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

int Socket::release() { return std::exchange(fd_, -1); }

// ---------------------------------------------------------------- Stream

struct BufferDelete {
  void operator()(evbuffer* buffer) const { evbuffer_free(buffer); }
};

// Kept alive by each callback while it runs: the owner may destroy the Stream inside of it.
struct Stream::Impl : std::enable_shared_from_this<Stream::Impl> {
  explicit Impl(EventLoop& its_loop) : loop(its_loop) {}

  EventLoop& loop;
  bufferevent* bev = nullptr;
  /// What was written in this turn of the loop.
  const std::unique_ptr<evbuffer, BufferDelete> fresh{evbuffer_new()};
  bool send_is_due = false;
  StreamHandlers handlers;
  std::string remote;
  bool open = false;
  bool over = false;            ///< closed: nothing is called any more
  bool closing = false;         ///< close_when_sent() was asked for
  std::optional<Timer> linger;  ///< closing, and all is sent: the other side's turn
  bool paused = false;
  std::size_t input_limit = 0;
  Duration idle_timeout{};
  Duration stuck_timeout{};

  void start(int fd, TlsSession tls, bool accepted) {
    ssl_st* const ssl = tls.release();
    if (ssl) {
      bev = bufferevent_openssl_socket_new(
          loop.base(), fd, ssl, accepted ? BUFFEREVENT_SSL_ACCEPTING : BUFFEREVENT_SSL_CONNECTING,
          BEV_OPT_CLOSE_ON_FREE);
      // Frames carry their own length: a cut connection is noticed without TLS's help.
      if (bev) bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    } else {
      bev = bufferevent_socket_new(loop.base(), fd, BEV_OPT_CLOSE_ON_FREE);
    }
    ZAP_CHECK(bev != nullptr, "libevent gives no bufferevent");
    bufferevent_setcb(
        bev, [](bufferevent*, void* impl) { static_cast<Impl*>(impl)->readable(); },
        [](bufferevent*, void* impl) { static_cast<Impl*>(impl)->written(); },
        [](bufferevent*, short what, void* impl) { static_cast<Impl*>(impl)->event(what); }, this);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
  }

  void connect(const Address& to);

  evbuffer* input() const { return bufferevent_get_input(bev); }
  evbuffer* output() const { return bufferevent_get_output(bev); }
  bool input_full() const { return input_limit > 0 && evbuffer_get_length(input()) >= input_limit; }

  std::size_t output_size() const {
    return evbuffer_get_length(output()) + evbuffer_get_length(fresh.get());
  }

  void send_at_end_of_turn() {
    if (std::exchange(send_is_due, true)) return;
    loop.at_end_of_turn([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->send();
    });
  }

  /// Most sockets take all of it at once. Through the bufferevent it would cost two calls of
  /// epoll_ctl and another turn of the loop; so that gets the rest only.
  void send() {
    send_is_due = false;
    if (over) return;
    if (open && evbuffer_get_length(output()) == 0) send_now();
    if (evbuffer_get_length(fresh.get()) == 0) return written();
    evbuffer_add_buffer(output(), fresh.get());
  }

  void send_now() {
    ssl_st* const ssl = bufferevent_openssl_get_ssl(bev);
    evbuffer_iovec piece;
    while (evbuffer_peek(fresh.get(), -1, nullptr, &piece, 1) > 0) {
      if (!ssl) {
        if (evbuffer_write(fresh.get(), bufferevent_getfd(bev)) <= 0) return;
        continue;
      }
      // What was not taken must be offered again, and no less of it: it stays in front.
      const std::size_t taken =
          write_to_tls(*ssl, {static_cast<const char*>(piece.iov_base), piece.iov_len});
      if (taken == 0) return;
      evbuffer_drain(fresh.get(), taken);
    }
  }

  void adjust_reading() {
    if (over) return;
    if (!linger && (paused || closing || input_full())) {
      bufferevent_disable(bev, EV_READ);
    } else {
      bufferevent_enable(bev, EV_READ);
    }
  }

  void readable() {
    if (linger) evbuffer_drain(input(), evbuffer_get_length(input()));
    if (over || closing || evbuffer_get_length(input()) == 0) return;
    const auto keep = shared_from_this();
    if (input_full()) adjust_reading();
    handlers.on_readable();
  }

  void written() {
    if (over) return;
    if (closing) return end_our_half();
    const auto keep = shared_from_this();
    if (handlers.on_drained) handlers.on_drained();
  }

  void end_our_half() {
    if (output_size() > 0 || linger) return;
    shutdown(bufferevent_getfd(bev), SHUT_WR);
    linger.emplace(loop, [this] {
      if (!over) finish("");
    });
    linger->after(limits::kLingerTime);
    adjust_reading();
  }

  void set_timeouts() {
    const timeval idle = to_timeval(idle_timeout);
    const timeval stuck = to_timeval(stuck_timeout);
    bufferevent_set_timeouts(bev, idle_timeout > Duration(0) ? &idle : nullptr,
                             stuck_timeout > Duration(0) ? &stuck : nullptr);
  }

  void event(short what) {
    const int error = errno;
    if (over) return;
    if (what & BEV_EVENT_CONNECTED) {
      const int on = 1;
      setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      open = true;
      const auto keep = shared_from_this();
      if (handlers.on_open) handlers.on_open();
    } else if (what & BEV_EVENT_TIMEOUT) {
      finish(what & BEV_EVENT_WRITING ? "nothing was taken in time"
                                      : "nothing was received in time");
    } else if (what & BEV_EVENT_ERROR) {
      finish(failure(error));
    } else if (what & BEV_EVENT_EOF) {
      // TLS reports a failed connect() as an end, with nothing but errno to tell it.
      finish(!open && (error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
                       error == ETIMEDOUT)
                 ? std::strerror(error)
                 : "");
    }
  }

  std::string failure(int error) const {
    if (const int dns = bufferevent_socket_get_dns_error(bev)) return evutil_gai_strerror(dns);
    if (ssl_st* const ssl = bufferevent_openssl_get_ssl(bev)) {
      if (const unsigned long code = bufferevent_get_openssl_error(bev)) {
        return describe_tls_failure(ssl, code);
      }
    }
    return error ? std::strerror(error) : "the connection broke";
  }

  void finish(const std::string& reason) {
    const auto keep = shared_from_this();
    over = true;
    open = false;
    bufferevent_disable(bev, EV_READ | EV_WRITE);
    if (handlers.on_closed) handlers.on_closed(reason);
  }
};

void Stream::Impl::connect(const Address& to) {
  remote = to_string(to);
  sockaddr_storage address{};
  socklen_t size = 0;
  if (to.is_unix()) {
    auto& un = reinterpret_cast<sockaddr_un&>(address);
    un.sun_family = AF_UNIX;
    std::strncpy(un.sun_path, to.unix_path.c_str(), sizeof un.sun_path - 1);
    size = sizeof un;
  } else if (auto& in = reinterpret_cast<sockaddr_in&>(address);
             inet_pton(AF_INET, to.host.c_str(), &in.sin_addr) == 1) {
    in.sin_family = AF_INET;
    in.sin_port = htons(to.port);
    size = sizeof in;
  } else if (auto& in6 = reinterpret_cast<sockaddr_in6&>(address);
             inet_pton(AF_INET6, to.host.c_str(), &in6.sin6_addr) == 1) {
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(to.port);
    size = sizeof in6;
  }

  const int result = size > 0
                         ? bufferevent_socket_connect(bev, reinterpret_cast<sockaddr*>(&address),
                                                      static_cast<int>(size))
                         : bufferevent_socket_connect_hostname(bev, loop.dns(), AF_UNSPEC,
                                                               to.host.c_str(), to.port);
  if (result != 0) {
    loop.post([weak = weak_from_this(), error = errno] {
      if (const auto self = weak.lock(); self && !self->over) self->finish(std::strerror(error));
    });
  }
}

Stream::Stream(EventLoop& loop, const Address& to, StreamHandlers handlers, TlsSession tls)
    : impl_(std::make_shared<Impl>(loop)) {
  impl_->handlers = std::move(handlers);
  impl_->start(-1, std::move(tls), /*accepted=*/false);
  impl_->connect(to);
}

Stream::Stream(EventLoop& loop, Socket accepted, StreamHandlers handlers, TlsSession tls)
    : impl_(std::make_shared<Impl>(loop)) {
  impl_->handlers = std::move(handlers);
  impl_->open = tls == nullptr;
  impl_->remote = remote_of(accepted.fd());
  const int on = 1;
  setsockopt(accepted.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  impl_->start(accepted.release(), std::move(tls), /*accepted=*/true);
}

Stream::~Stream() {
  impl_->over = true;
  bufferevent_setcb(impl_->bev, nullptr, nullptr, nullptr, nullptr);
  bufferevent_free(impl_->bev);
}

std::size_t Stream::readable() const { return evbuffer_get_length(impl_->input()); }

std::string_view Stream::peek(std::size_t size) {
  ZAP_CHECK(size <= readable(), "peek of " << size << " bytes where " << readable() << " are");
  if (size == 0) return {};
  const unsigned char* data = evbuffer_pullup(impl_->input(), static_cast<ev_ssize_t>(size));
  return {reinterpret_cast<const char*>(data), size};
}

Bytes Stream::take(std::size_t size) {
  ZAP_CHECK(size <= readable(), "take of " << size << " bytes where " << readable() << " are");
  if (size == 0) return {};
  auto buffer = std::make_shared_for_overwrite<char[]>(size);
  evbuffer_remove(impl_->input(), buffer.get(), size);
  impl_->adjust_reading();
  const std::string_view view(buffer.get(), size);
  return Bytes::inside(std::move(buffer), view);
}

void Stream::drop(std::size_t size) {
  evbuffer_drain(impl_->input(), size);
  impl_->adjust_reading();
}

void Stream::pause_reading() {
  impl_->paused = true;
  impl_->adjust_reading();
}

void Stream::resume_reading() {
  impl_->paused = false;
  impl_->adjust_reading();
  if (readable() > 0) bufferevent_trigger(impl_->bev, EV_READ, BEV_OPT_DEFER_CALLBACKS);
}

void Stream::set_input_limit(std::size_t bytes) {
  impl_->input_limit = bytes;
  impl_->adjust_reading();
}

void Stream::acknowledge() {
  const int on = 1;
  setsockopt(fd(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void Stream::write(Bytes bytes) {
  if (bytes.size() < kCopyBelow) return write_copy(bytes.view());
  if (impl_->over || impl_->closing) return;
  const auto owner = new Bytes(std::move(bytes));
  evbuffer_add_reference(
      impl_->fresh.get(), owner->data(), owner->size(),
      [](const void*, std::size_t, void* kept) { delete static_cast<Bytes*>(kept); }, owner);
  impl_->send_at_end_of_turn();
}

void Stream::write_copy(std::string_view bytes) {
  if (impl_->over || impl_->closing) return;
  evbuffer_add(impl_->fresh.get(), bytes.data(), bytes.size());
  impl_->send_at_end_of_turn();
}

std::size_t Stream::output_size() const { return impl_->output_size(); }

void Stream::set_drained_at(std::size_t bytes) {
  bufferevent_setwatermark(impl_->bev, EV_WRITE, bytes, 0);
}

void Stream::close_when_sent() {
  if (impl_->over || impl_->closing) return;
  impl_->closing = true;
  impl_->adjust_reading();
  // Nothing waits: written() follows at once, not from within this call.
  if (output_size() == 0) bufferevent_trigger(impl_->bev, EV_WRITE, BEV_OPT_DEFER_CALLBACKS);
}

void Stream::set_idle_timeout(Duration timeout) {
  impl_->idle_timeout = timeout;
  impl_->set_timeouts();
}

void Stream::set_stuck_timeout(Duration timeout) {
  impl_->stuck_timeout = timeout;
  impl_->set_timeouts();
}

bool Stream::is_open() const { return impl_->open; }
const std::string& Stream::remote() const { return impl_->remote; }

std::string Stream::remote_host() const {
  const std::string& text = impl_->remote;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return {};
  return text.front() == '[' ? text.substr(1, colon - 2) : text.substr(0, colon);
}
int Stream::fd() const { return bufferevent_getfd(impl_->bev); }
ssl_st* Stream::tls() const { return bufferevent_openssl_get_ssl(impl_->bev); }

}  // namespace zap
