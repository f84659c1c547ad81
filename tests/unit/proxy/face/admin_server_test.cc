// The admin server over real sockets: a client of its own kind, with the bounds of any other.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "core/limits.h"
#include "proxy/face/admin.h"

namespace zap {
namespace {

struct Server {
  Server() {
    auto opened = AdminServer::open(loop, {.host = "127.0.0.1", .port = 0},
                                    {.metrics = [] { return std::string("metric 1\n"); },
                                     .status = [] { return NodeStatus{.node_id = "node1"}; },
                                     .evidence = [] { return std::string("[]\n"); },
                                     .operation =
                                         [](std::string_view) {
                                           return Error{ErrorCode::kInvalid, "no operation id"};
                                         }});
    REQUIRE(opened);
    admin = std::move(*opened);
    port = admin->address().port;
    thread = std::thread([this] { loop.run(); });
  }
  ~Server() {
    loop.stop();
    thread.join();
  }

  EventLoop loop;
  std::unique_ptr<AdminServer> admin;
  std::uint16_t port = 0;
  std::thread thread;
};

class Asker {
 public:
  explicit Asker(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    const timeval patience{.tv_sec = 10};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Asker() { close(fd_); }
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  /// Everything up to the end of the connection.
  std::string ask(const std::string& request) {
    send(fd_, request.data(), request.size(), MSG_NOSIGNAL);
    std::string heard;
    char piece[4096];
    for (ssize_t size; (size = recv(fd_, piece, sizeof piece, 0)) > 0;) {
      heard.append(piece, static_cast<std::size_t>(size));
    }
    return heard;
  }

 private:
  int fd_;
};

std::string last_request(const std::string& verb, const std::string& path,
                         const std::string& host = "127.0.0.1") {
  return verb + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("admin server: pages, and what is no page") {
  Server server;
  const auto ask = [&](const std::string& request) { return Asker(server.port).ask(request); };
  const std::string metrics = ask(last_request("GET", "/metrics"));
  CHECK(metrics.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(metrics.ends_with("\r\n\r\nmetric 1\n"));
  CHECK(contains(ask(last_request("GET", "/")), "Content-Type: text/html"));
  CHECK(ask(last_request("GET", "/evidence")).ends_with("\r\n\r\n[]\n"));
  CHECK(ask(last_request("GET", "/no-such-page")).starts_with("HTTP/1.1 404 "));
  CHECK(ask(last_request("GET", "/op/x")).starts_with("HTTP/1.1 400 "));
  CHECK(ask(last_request("GET", "/status", "evil.example")).starts_with("HTTP/1.1 421 "));
  CHECK(ask("GET /livez HTTP/1.1\nHost: a\n\n").starts_with("HTTP/1.1 400 "));
  CHECK(ask("GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").starts_with("HTTP/1.1 400 "));
}

TEST_CASE("admin server: other methods are told which there are") {
  Server server;
  const std::string answer = Asker(server.port).ask(last_request("DELETE", "/status"));
  CHECK(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
  CHECK(contains(answer, "\r\nAllow: GET, HEAD\r\n"));
}

TEST_CASE("admin server: the answer to a HEAD has a length and no body") {
  Server server;
  const std::string both = "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string answer = Asker(server.port).ask(both + last_request("GET", "/livez"));
  CHECK(contains(answer, "\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n"));
  CHECK(answer.ends_with("{\"live\":true}\n"));
}

TEST_CASE("admin server: one connection more than there may be is told so") {
  Server server;
  std::vector<std::unique_ptr<Asker>> idle;
  for (std::size_t i = 0; i < limits::kAdminConnections; ++i) {
    idle.push_back(std::make_unique<Asker>(server.port));
  }
  CHECK(Asker(server.port).ask(last_request("GET", "/livez")).starts_with("HTTP/1.1 429 "));
  idle.pop_back();
  std::string answer;  // until the server has seen that one went
  for (int tries = 0; tries < 1'000 && !answer.starts_with("HTTP/1.1 200 "); ++tries) {
    answer = Asker(server.port).ask(last_request("GET", "/livez"));
  }
  CHECK(answer.starts_with("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace zap
