// A toy protocol (a call a line, an answer a line, in order) over real sockets.

#include "proxy/clients/client_listener.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <map>
#include <thread>

#include "core/limits.h"

using namespace zap;
using namespace std::chrono_literals;

namespace {

class LineSession final : public ClientSession {
 public:
  std::vector<ClientCall> feed(std::string_view bytes, Output& output) override {
    std::vector<ClientCall> calls;
    rest_.append(bytes);
    for (std::size_t end; (end = rest_.find('\n')) != std::string::npos;) {
      const std::string line = rest_.substr(0, end);
      rest_.erase(0, end + 1);
      if (line == "bad") {
        malformed_ = true;
        break;
      }
      ClientCall call;
      call.sequence = ++last_;
      call.payload = Bytes(line);
      calls.push_back(std::move(call));
      ++pending_;
    }
    finish(output);
    return calls;
  }
  void answer(std::uint64_t, const Answer& answer, Output& output) override {
    --pending_;
    output.append(answer.payload);
    output.append(std::string_view("\n"));
    finish(output);
  }
  void refuse(std::uint64_t, const ProxyError& error, Output& output) override {
    --pending_;
    output.append(to_string(error.code));
    output.append(std::string_view("\n"));
    finish(output);
  }
  std::size_t pending() const override { return pending_; }
  bool finished() const override { return finished_; }

 private:
  /// What is malformed is answered after the calls before it.
  void finish(Output& output) {
    if (!malformed_ || pending_ > 0 || finished_) return;
    output.append(std::string_view("malformed\n"));
    finished_ = true;
  }

  std::string rest_;
  std::uint64_t last_ = 0;
  std::size_t pending_ = 0;
  bool malformed_ = false;
  bool finished_ = false;
};

class LineProtocol final : public Protocol {
 public:
  std::string_view name() const override { return "line"; }
  std::unique_ptr<ClientSession> client_session(ClientSettings) const override {
    return std::make_unique<LineSession>();
  }
  std::unique_ptr<AppSession> app_session(AppSettings) const override { return nullptr; }
};

/// A blocking client in the test's own thread; the loop turns in another.
class LineClient {
 public:
  explicit LineClient(const Address& to) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(to.port);
    inet_pton(AF_INET, to.host.c_str(), &address.sin_addr);
    const timeval patience{.tv_sec = 10};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~LineClient() { close(fd_); }
  LineClient(const LineClient&) = delete;
  LineClient& operator=(const LineClient&) = delete;

  void say(std::string_view text) {
    REQUIRE(send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == std::ssize(text));
  }
  /// Up to `size` bytes, fewer where the other side closes.
  std::string hear(std::size_t size) {
    std::string heard(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const ssize_t piece = recv(fd_, heard.data() + got, size - got, 0);
      if (piece <= 0) break;
      got += static_cast<std::size_t>(piece);
    }
    heard.resize(got);
    return heard;
  }

 private:
  int fd_;
};

struct Server {
  explicit Server(std::size_t limit = 100) {
    count.limit = limit;
    listener.emplace(loop, protocol, ClientSettings{}, 60s, count,
                     [this](const std::shared_ptr<Client>& client, ClientCall call) {
                       ++calls;
                       if (hold) {
                         held.emplace_back(client, std::move(call));
                       } else {
                         client->answer(call.sequence, {.payload = call.payload});
                       }
                     });
    REQUIRE(listener->open({.host = "127.0.0.1", .port = 0}).ok());
    address = listener->address();
    thread = std::thread([this] { loop.run(); });
  }
  ~Server() {
    loop.stop();
    thread.join();
  }

  /// Runs on the loop and waits for it.
  void on_loop(const std::function<void()>& task) {
    std::atomic<bool> done = false;
    loop.post([&] {
      task();
      done = true;
    });
    while (!done) std::this_thread::sleep_for(1ms);
  }

  LineProtocol protocol;
  ClientCount count;
  EventLoop loop;
  std::atomic<bool> hold = false;
  std::atomic<std::size_t> calls = 0;
  std::vector<std::pair<std::weak_ptr<Client>, ClientCall>> held;
  std::optional<ClientListener> listener;
  Address address;
  std::thread thread;
};

}  // namespace

TEST_CASE("client listener: pipelined calls are answered in order") {
  Server server;
  LineClient client(server.address);
  client.say("a\nb\nc");
  CHECK(client.hear(4) == "a\nb\n");
  client.say("\n");
  CHECK(client.hear(2) == "c\n");
}

TEST_CASE("client listener: what is malformed is answered, then the connection ends") {
  Server server;
  LineClient client(server.address);
  client.say("a\nbad\n");
  CHECK(client.hear(100) == "a\nmalformed\n");
}

TEST_CASE("client listener: a client with too many waiting calls is not read") {
  Server server;
  server.hold = true;
  LineClient client(server.address);
  std::string burst;
  for (std::size_t i = 0; i < limits::kClientCalls; ++i) burst += "x\n";
  client.say(burst);
  while (server.calls < limits::kClientCalls) std::this_thread::sleep_for(1ms);
  client.say("more\n");
  std::this_thread::sleep_for(50ms);
  CHECK(server.calls == limits::kClientCalls);

  server.on_loop([&] {
    for (const auto& [who, call] : server.held) {
      if (const auto alive = who.lock()) alive->answer(call.sequence, {.payload = call.payload});
    }
    server.held.clear();
    server.hold = false;
  });
  CHECK(client.hear(burst.size() + 5) == burst + "more\n");
}

TEST_CASE("client listener: a client that goes away is forgotten, its call is not our client's") {
  Server server;
  server.hold = true;
  {
    LineClient client(server.address);
    client.say("a\n");
    while (server.calls < 1) std::this_thread::sleep_for(1ms);
  }
  bool gone = false;
  for (int tries = 0; tries < 5000 && !gone; ++tries) {
    server.on_loop([&] { gone = server.held.front().first.expired(); });
  }
  CHECK(gone);
  CHECK(server.count.open == 0);
}

TEST_CASE("client listener: above the limit a client is told so and closed") {
  Server server(1);
  LineClient first(server.address);
  first.say("a\n");
  CHECK(first.hear(2) == "a\n");
  LineClient second(server.address);
  second.say("b\n");
  CHECK(second.hear(100) == "overloaded\n");
  first.say("c\n");
  CHECK(first.hear(2) == "c\n");
}

TEST_CASE("client listener: while paused nothing is read, old client or new") {
  Server server;
  LineClient old(server.address);
  old.say("a\n");
  CHECK(old.hear(2) == "a\n");
  server.on_loop([&] { server.listener->pause(true); });
  LineClient young(server.address);
  old.say("b\n");
  young.say("c\n");
  std::this_thread::sleep_for(50ms);
  CHECK(server.calls == 1);
  server.on_loop([&] { server.listener->pause(false); });
  CHECK(old.hear(2) == "b\n");
  CHECK(young.hear(2) == "c\n");
}
