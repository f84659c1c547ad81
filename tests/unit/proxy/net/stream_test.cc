#include "proxy/net/stream.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "proxy/net/listener.h"

namespace zap {
namespace {

using namespace std::chrono_literals;

const Address kAnyPort{.host = "127.0.0.1", .port = 0};

/// A client and the server's end of it, on one loop.
struct Pair {
  explicit Pair(const Address& address = kAnyPort) {
    auto opened = Listener::open(loop, address, [this](Socket socket) {
      StreamHandlers handlers;
      handlers.on_readable = [this] { on_readable(); };
      handlers.on_drained = [this] { on_drained(); };
      handlers.on_closed = [this](const std::string& reason) {
        closed = reason;
        loop.stop();
      };
      server.emplace(loop, std::move(socket), std::move(handlers));
      loop.stop();
    });
    REQUIRE(opened);
    listener = std::move(*opened);
    StreamHandlers handlers;
    handlers.on_readable = [this] { received += client->take_all().view(); };
    handlers.on_closed = [this](const std::string&) { client_closed = true; };
    client.emplace(loop, listener->address(), std::move(handlers));
    loop.run();
  }

  void run_for(Duration time) {
    Timer timer(loop, [this] { loop.stop(); });
    timer.after(time);
    loop.run();
  }

  EventLoop loop;
  std::unique_ptr<Listener> listener;
  std::function<void()> on_readable = [] {};
  std::function<void()> on_drained = [] {};
  std::optional<std::string> closed;
  bool client_closed = false;
  std::string received;
  std::optional<Stream> server;
  std::optional<Stream> client;
};

TEST_CASE("stream: its reader takes whole pieces and leaves the rest") {
  Pair pair;
  Bytes taken;
  pair.on_readable = [&] {
    if (pair.server->readable() < 11) return;
    CHECK(pair.server->peek(5) == "hello");
    taken = pair.server->take(5);
    pair.loop.stop();
  };
  pair.client->write("hello");
  pair.client->write(" world");
  pair.loop.run();
  CHECK(taken.view() == "hello");
  CHECK(pair.server->take_all().view() == " world");
}

TEST_CASE("stream: a large write arrives whole, and on_drained tells when it is gone") {
  Pair pair;
  const std::string large(5'000'000, 'x');
  bool drained = false;
  pair.on_drained = [&] { drained = true; };
  pair.server->set_drained_at(1'000);
  pair.server->write(Bytes(large));
  CHECK(pair.server->output_size() == large.size());
  while (pair.received.size() < large.size()) pair.run_for(5ms);
  CHECK(pair.received == large);
  CHECK(drained);
  CHECK(pair.server->output_size() == 0);
}

TEST_CASE("stream: reading stops at the input limit and goes on once bytes are taken") {
  Pair pair;
  pair.server->set_input_limit(10'000);
  pair.client->write(Bytes(std::string(8'000'000, 'y')));
  pair.run_for(50ms);
  const std::size_t first = pair.server->readable();
  CHECK(first >= 10'000);
  CHECK(first < 100'000);
  pair.server->take_all();
  pair.run_for(20ms);
  CHECK(pair.server->readable() >= 10'000);
}

TEST_CASE("stream: an orderly close has no reason, a silent other side has one") {
  Pair orderly;
  orderly.client->write("last words");
  orderly.client->close_when_sent();
  orderly.loop.run();
  REQUIRE(orderly.closed);
  CHECK(orderly.closed->empty());
  CHECK(orderly.server->take_all().view() == "last words");
  CHECK_FALSE(orderly.client_closed);  // the other half is open
  orderly.server.reset();
  orderly.run_for(20ms);
  CHECK(orderly.client_closed);

  Pair silent;
  silent.server->set_idle_timeout(10ms);
  silent.loop.run();
  CHECK(silent.closed == "nothing was received in time");
}

TEST_CASE("stream: who takes nothing of what waits for it is closed, with a reason") {
  Pair pair;
  pair.client->pause_reading();
  pair.server->set_stuck_timeout(50ms);
  pair.server->write(Bytes(std::string(30'000'000, 'x')));
  pair.loop.run();
  CHECK(pair.closed == "nothing was taken in time");
}

TEST_CASE("stream: bytes that were left are offered again when reading goes on") {
  Pair pair;
  int offered = 0;
  pair.on_readable = [&] {
    ++offered;
    pair.loop.stop();
  };
  pair.client->write("hello");
  pair.loop.run();
  pair.server->pause_reading();
  pair.server->resume_reading();
  CHECK(offered == 1);
  pair.loop.run();
  CHECK(offered == 2);
}

TEST_CASE("stream: destroyed inside its own callback") {
  Pair pair;
  pair.on_readable = [&] {
    pair.server.reset();
    pair.loop.stop();
  };
  pair.client->write("x");
  pair.loop.run();
  CHECK_FALSE(pair.server);
}

TEST_CASE("stream: nobody listens there") {
  EventLoop loop;
  for (const Address& address :
       {Address{.host = "127.0.0.1", .port = 1}, Address{.unix_path = "/nonexistent/socket"}}) {
    std::optional<std::string> reason;
    StreamHandlers handlers;
    handlers.on_closed = [&](const std::string& why) {
      reason = why;
      loop.stop();
    };
    Stream stream(loop, address, std::move(handlers));
    loop.run();
    CHECK_FALSE(reason->empty());
    CHECK_FALSE(stream.is_open());
  }
}

TEST_CASE("listener: a Unix path left by a dead process is taken over, a living one's is not") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("zap-test-" + std::to_string(getpid()))).string();
  const Address address{.unix_path = path};
  {
    Pair pair(address);
    pair.client->write("over a path");
    pair.on_readable = [&] { pair.loop.stop(); };
    pair.loop.run();
    CHECK(pair.server->take_all().view() == "over a path");
    CHECK_FALSE(Listener::open(pair.loop, address, [](Socket) {}));
    std::filesystem::create_hard_link(path, path + ".kept");
  }
  CHECK_FALSE(std::filesystem::exists(path));
  std::filesystem::rename(path + ".kept", path);
  EventLoop loop;
  CHECK(Listener::open(loop, address, [](Socket) {}));
}

}  // namespace
}  // namespace zap
