#include "proxy/app/app_reads.h"

#include <catch2/catch.hpp>

#include "tests/unit/proxy/line_app.h"
#include "tests/unit/proxy/line_protocol.h"
#include "tests/unit/proxy/loop_runner.h"

namespace zap {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// Reads of an application that answers when the test says so.
struct Reader {
  EventLoop loop;
  LineProtocol protocol;
  LineApp app{loop, {.host = "127.0.0.1"}, [](const std::string&) { return std::nullopt; }};
  AppEndpoint endpoint{.address = app.address(), .protocol = protocol};
  std::size_t other_runs = 0;
  Lines results;
  std::unique_ptr<AppReads> reads;

  explicit Reader(AppReads::Settings settings) {
    reads = std::make_unique<AppReads>(
        loop, endpoint, settings, [this] { ++other_runs; }, [] {});
  }

  void read(const std::string& payload, bool repeatable = true, Duration timeout = 10s) {
    reads->add({.payload = Bytes(payload),
                .deadline = read_clocks().instant + timeout,
                .repeatable = repeatable,
                .done = [this](Result<Reply> reply) {
                  results.push_back(reply.ok() ? std::string(reply->payload.view())
                                               : reply.error().message);
                }});
  }
  void run_until_waiting(std::size_t count) {
    run_until(loop, [&, count] { return app.waiting() == count; });
  }
  void run_until_results(std::size_t count) {
    run_until(loop, [&, count] { return results.size() == count; });
  }
};

TEST_CASE("app reads: as many at once as there are connections, the others wait") {
  Reader reader({.connections = 2, .waiting = 8});
  reader.reads->allow("");
  for (int i = 0; i < 4; ++i) reader.read("r");
  reader.run_until_waiting(2);
  run_for(reader.loop, 30ms);
  CHECK(reader.app.received.size() == 2);
  reader.app.answer("first");
  run_until(reader.loop, [&] { return reader.app.received.size() == 3; });
  CHECK(reader.results == Lines{"first"});
  CHECK(reader.app.accepted == 2);
}

TEST_CASE("app reads: what waits is bounded") {
  Reader reader({.connections = 1, .waiting = 2});
  for (int i = 0; i < 3; ++i) reader.read("r");
  REQUIRE(reader.results.size() == 1);
  CHECK_THAT(reader.results[0], Catch::StartsWith("2 reads wait"));
}

TEST_CASE("app reads: held ones wait, refused ones fail") {
  Reader reader({.connections = 1, .waiting = 2});
  reader.read("r");
  run_for(reader.loop, 20ms);
  CHECK(reader.app.accepted == 0);
  reader.reads->refuse(app_unreachable("it is gone"));
  CHECK(reader.results == Lines{"the application cannot be reached: it is gone"});
}

TEST_CASE("app reads: a late one fails, and its connection is not used again") {
  Reader reader({.connections = 1, .waiting = 2});
  reader.reads->allow("");
  reader.read("slow", true, 50ms);
  reader.read("next");
  reader.run_until_results(1);
  CHECK_THAT(reader.results[0], Catch::Contains("did not answer in time"));
  run_until(reader.loop, [&] { return reader.app.received.size() == 2; });
  CHECK(reader.app.accepted == 2);
  reader.run_until_waiting(1);
  reader.app.answer("answer to next");
  reader.run_until_results(2);
  CHECK(reader.results[1] == "answer to next");
}

TEST_CASE("app reads: a broken connection repeats a read once, and passthrough never") {
  Reader reader({.connections = 1, .waiting = 2});
  reader.reads->allow("");
  reader.read("read");
  reader.run_until_waiting(1);
  reader.app.hang_up();
  reader.run_until_waiting(1);
  CHECK(reader.app.received == Lines{"- read", "- read"});
  reader.app.hang_up();
  reader.run_until_results(1);

  reader.read("passthrough", /*repeatable=*/false);
  reader.run_until_waiting(1);
  reader.app.hang_up();
  reader.run_until_results(2);
  CHECK(reader.app.received == Lines{"- read", "- read", "- passthrough"});
}

TEST_CASE("app reads: none runs on an application that restarted unnoticed") {
  Reader reader({.connections = 1, .waiting = 2});
  reader.reads->allow("the run before");
  reader.read("r");
  run_until(reader.loop, [&] { return reader.other_runs == 1; });
  CHECK(reader.app.received.empty());
  CHECK(reader.results.empty());
}

}  // namespace
}  // namespace zap
