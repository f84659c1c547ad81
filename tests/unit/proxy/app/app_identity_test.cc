#include "proxy/app/app_identity.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/unit/proxy/scratch_folder.h"

namespace zap {
namespace {

/// A listening socket of this process.
class Listening {
 public:
  explicit Listening(const sockaddr* address, socklen_t size)
      : fd_(::socket(address->sa_family, SOCK_STREAM, 0)) {
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    REQUIRE(::bind(fd_, address, size) == 0);
    REQUIRE(::listen(fd_, 8) == 0);
  }
  ~Listening() { ::close(fd_); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  static Listening tcp(std::uint32_t host, std::uint16_t port = 0) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(host);
    address.sin_port = htons(port);
    return Listening(reinterpret_cast<sockaddr*>(&address), sizeof address);
  }

  std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

 private:
  const int fd_;
};

Address loopback(std::uint16_t port) { return {.host = "127.0.0.1", .port = port}; }

TEST_CASE("app identity: a listening socket on loopback names a run until it is opened anew") {
  std::uint16_t port = 0;
  std::string first;
  {
    const Listening socket = Listening::tcp(INADDR_LOOPBACK);
    port = socket.port();
    first = run_at(loopback(port));
    CHECK_FALSE(first.empty());
    CHECK(run_at(loopback(port)) == first);
    CHECK(run_at({.host = "localhost", .port = port}) == first);
  }
  CHECK(run_at(loopback(port)).empty());
  const Listening again = Listening::tcp(INADDR_LOOPBACK, port);
  CHECK_FALSE(run_at(loopback(port)).empty());
  CHECK(run_at(loopback(port)) != first);
}

TEST_CASE("app identity: an application that listens on every address is found on loopback") {
  const Listening socket = Listening::tcp(INADDR_ANY);
  CHECK_FALSE(run_at(loopback(socket.port())).empty());
}

TEST_CASE("app identity: the process behind a Unix socket names its run") {
  const ScratchFolder folder;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder / "app.sock";
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const Listening socket(reinterpret_cast<sockaddr*>(&address), sizeof address);

  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(run_of_peer(fd) == run_of_process(::getpid()));
  CHECK_FALSE(run_of_peer(fd).empty());
  ::close(fd);
}

TEST_CASE("app identity: two processes are two runs, a dead one is none") {
  CHECK(run_of_process(1) != run_of_process(::getpid()));
  CHECK(run_of_process(999'999'999).empty());
}

TEST_CASE("app identity: nothing is told of other hosts") {
  CHECK_FALSE(tells_runs({.host = "192.0.2.1", .port = 5001}));
  CHECK_FALSE(tells_runs({.host = "app.example", .port = 5001}));
  CHECK(tells_runs(loopback(5001)));
  CHECK(tells_runs({.host = "::1", .port = 5001}));
  CHECK(tells_runs({.unix_path = "/run/app.sock"}));
}

TEST_CASE("app identity: who listens is named for an error") {
  const Listening socket = Listening::tcp(INADDR_LOOPBACK);
  const auto listener = listener_at(loopback(socket.port()));
  REQUIRE(listener);
  CHECK_THAT(*listener, Catch::Contains("(pid " + std::to_string(::getpid()) + ")"));
}

}  // namespace
}  // namespace zap
