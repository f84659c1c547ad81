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
  std::optional<ClientCall> feed(std::string_view& bytes, Output& output) override {
    const std::size_t end = bytes.find('\n');
    line_.append(bytes.substr(0, end));
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (end == std::string_view::npos || error_) return std::nullopt;
    ClientCall call;
    call.payload = Bytes(std::exchange(line_, {}));
    if (call.payload.view() == "bad") {
      give_up({.code = ProxyErrorCode::kMalformed, .message = {}}, output);
      return std::nullopt;
    }
    call.sequence = ++last_;
    ++pending_;
    return call;
  }
  std::size_t unfinished_bytes() const override { return error_ ? 0 : line_.size(); }
  void give_up(const ProxyError& error, Output& output) override {
    error_ = error.code;
    finish(output);
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
  std::size_t held_back_bytes() const override { return 0; }
  bool finished() const override { return finished_; }

 private:
  /// An error is answered after the calls before it.
  void finish(Output& output) {
    if (!error_ || pending_ > 0 || finished_) return;
    output.append(to_string(*error_));
    output.append(std::string_view("\n"));
    finished_ = true;
  }

  std::string line_;
  std::uint64_t last_ = 0;
  std::size_t pending_ = 0;
  std::optional<ProxyErrorCode> error_;
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
  void try_to_say(std::string_view text) { send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  /// Neither has the other side closed, nor has anything gone wrong.
  bool still_open() const {
    char byte;
    const ssize_t peeked = recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return peeked > 0 || (peeked < 0 && errno == EAGAIN);
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
  explicit Server(std::size_t limit = 100, const ClientTimes& times = {}) {
    load.connections_most = limit;
    load.unfinished_most = 1'000;
    listener.emplace(loop, protocol, ClientSettings{}, times, load,
                     [this](const std::shared_ptr<Client>& client, ClientCall call) {
                       ++calls;
                       if (hold) {
                         held.emplace_back(client, std::move(call));
                       } else {
                         client->answer(call.sequence, {.payload = answer_to(call)});
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

  /// A line of digits is answered with so many bytes, any other with itself.
  static Bytes answer_to(const ClientCall& call) {
    const std::string line(call.payload.view());
    const bool number = line.find_first_not_of("0123456789") == std::string::npos;
    return number && !line.empty() ? Bytes(std::string(std::stoul(line), 'x')) : call.payload;
  }

  /// Waits until the loop's thread sees that it holds.
  bool becomes_true(const std::function<bool()>& condition) {
    bool holds = false;
    for (int tries = 0; tries < 10'000 && !holds; ++tries) {
      on_loop([&] { holds = condition(); });
      if (!holds) std::this_thread::sleep_for(1ms);
    }
    return holds;
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
  ClientLoad load;
  EventLoop loop;
  std::atomic<bool> hold = false;
  std::atomic<std::size_t> calls = 0;
  std::vector<std::pair<std::weak_ptr<Client>, ClientCall>> held;
  std::optional<ClientListener> listener;
  Address address;
  std::thread thread;
};

/// Until then few of its calls wait at a time: each counts with the answer that it may get.
void learn_that_answers_are_small(LineClient& client) {
  for (int i = 0; i < 10; ++i) {
    client.say("a\n");
    REQUIRE(client.hear(2) == "a\n");
  }
}

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
  LineClient client(server.address);
  learn_that_answers_are_small(client);
  server.calls = 0;
  server.hold = true;
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
  CHECK(server.becomes_true([&] { return server.held.front().first.expired(); }));
  CHECK(server.load.connections == 0);
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

TEST_CASE("client listener: calls that come in one piece wait their turn in it") {
  Server server;
  LineClient client(server.address);
  learn_that_answers_are_small(client);
  server.calls = 0;
  server.hold = true;
  std::string burst;
  for (std::size_t i = 0; i < 3 * limits::kClientCalls; ++i) burst += "x\n";
  client.say(burst);
  REQUIRE(server.becomes_true([&] { return server.calls > 0; }));
  std::this_thread::sleep_for(50ms);
  CHECK(server.calls <= limits::kClientCalls);
  std::string heard;
  while (heard.size() < burst.size()) {
    server.on_loop([&] {
      for (const auto& [who, call] : std::exchange(server.held, {})) {
        if (const auto alive = who.lock()) alive->answer(call.sequence, {.payload = call.payload});
      }
    });
    if (server.calls * 2 > heard.size()) heard += client.hear(2);
  }
  CHECK(heard == burst);
}

TEST_CASE("client listener: answers that nobody takes are bounded, and come when they are taken") {
  Server server;
  LineClient client(server.address);
  constexpr std::size_t kCalls = 500;
  constexpr std::size_t kAnswer = 100'000;
  std::string burst;
  for (std::size_t i = 0; i < kCalls; ++i) burst += std::to_string(kAnswer) + "\n";
  client.say(burst);
  REQUIRE(server.becomes_true([&] { return server.calls > 0; }));
  std::this_thread::sleep_for(100ms);
  server.on_loop([&] { CHECK(server.load.output_bytes <= limits::kClientOutputBytes + kAnswer); });
  CHECK(server.calls < kCalls);
  CHECK(client.hear(kCalls * (kAnswer + 1)).size() == kCalls * (kAnswer + 1));
  CHECK(server.becomes_true([&] { return server.load.output_bytes == 0; }));
}

TEST_CASE("client listener: a client that takes nothing is closed") {
  Server server(100, {.stuck = 50ms});
  LineClient client(server.address);
  client.say("30000000\n");
  REQUIRE(server.becomes_true([&] { return server.load.connections == 1; }));
  CHECK(server.becomes_true([&] { return server.load.connections == 0; }));
  CHECK(server.load.output_bytes == 0);
}

TEST_CASE("client listener: the worst taker is closed where all together leave too much") {
  Server server;
  LineClient slow(server.address);
  LineClient other(server.address);
  slow.say("30000000\n");
  other.say("a\n");
  CHECK(other.hear(2) == "a\n");
  REQUIRE(server.becomes_true([&] { return server.load.connections == 2 && server.calls == 2; }));
  server.on_loop([&] {  // as if others had left so much
    server.load.output_bytes += limits::kAllClientsOutputBytes;
    server.load.connections += 1'000;
  });
  other.say("b\n");
  CHECK(other.hear(2) == "b\n");
  CHECK(server.load.connections == 1'001);
  CHECK(slow.hear(30'000'001).size() < 30'000'001);
}

TEST_CASE("client listener: who is answered while it still sends gets the whole answer") {
  Server server;
  LineClient client(server.address);
  client.say("bad\n" + std::string(2'000'000, 'x'));
  CHECK(client.hear(100) == "malformed\n");
  SECTION("and is closed for good even if it stays") {
    CHECK(server.becomes_true([&] { return server.load.connections == 0; }));
  }
}

TEST_CASE("client listener: a byte now and then does not keep a call arriving for ever") {
  Server server(100, {.request = 1s});
  LineClient slow(server.address);
  std::thread trickle([&] {
    for (int i = 0; i < 500 && slow.still_open(); ++i) {
      slow.try_to_say("x");
      std::this_thread::sleep_for(20ms);
    }
  });
  CHECK(slow.hear(100) == "malformed\n");
  trickle.join();

  LineClient steady(server.address);
  for (int i = 0; i < 15; ++i) {  // a call each time, and the next one begun
    steady.say("a\nb");
    std::this_thread::sleep_for(100ms);
  }
  steady.say("\n");
  std::string all = "a\n";
  for (int i = 1; i < 15; ++i) all += "ba\n";
  all += "b\n";
  CHECK(steady.hear(all.size()) == all);
}

TEST_CASE("client listener: calls that are still arriving have a bound for all clients together") {
  Server server;  // of 1,000 bytes
  LineClient first(server.address);
  LineClient second(server.address);
  first.say(std::string(700, 'x'));
  REQUIRE(server.becomes_true([&] { return server.load.unfinished_bytes == 700; }));
  second.say(std::string(400, 'y'));
  CHECK(second.hear(100) == "overloaded\n");
  first.say("\n");
  CHECK(first.hear(701) == std::string(700, 'x') + "\n");
  CHECK(server.becomes_true([&] { return server.load.unfinished_bytes == 0; }));
}

TEST_CASE("client listener: a refused client cannot stay by sending slowly") {
  Server server(1);
  LineClient first(server.address);
  first.say("a\n");
  CHECK(first.hear(2) == "a\n");
  LineClient second(server.address);
  for (int i = 0; i < 500 && second.still_open(); ++i) {
    second.try_to_say("x");
    std::this_thread::sleep_for(20ms);
  }
  CHECK_FALSE(second.still_open());
}
