// The applier beside a real application: a Python process behind HTTP/1.1, ours to kill.

#include <catch2/catch.hpp>
#include <csignal>
#include <deque>

#include "adapters/catalog.h"
#include "proxy/app/app_connection.h"
#include "proxy/app/app_progress.h"
#include "proxy/app/applier.h"
#include "proxy/app/supervisor.h"
#include "proxy/net/listener.h"
#include "tests/unit/proxy/loop_runner.h"
#include "tests/unit/proxy/scratch_folder.h"

namespace zap {
namespace {

using namespace std::chrono_literals;

const std::string kScript = std::string(ZAP_SOURCE_DIR) + "/tests/unit/proxy/http_app.py";

/// What an HTTP client would send, as the payload that its adapter makes of it.
Bytes payload(const Protocol& http, const std::string& verb, const std::string& body) {
  ClientSettings settings;
  settings.random_id = [] { return RandomId{}; };
  Output refusal;
  const std::string request =
      verb + " / HTTP/1.1\r\nHost: app\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  std::string_view rest = request;
  const auto call = http.client_session(settings)->feed(rest, refusal);
  REQUIRE(call);
  return call->payload;
}

struct Everything : DecisionSource, ApplierObserver {
  EventLoop loop;
  ScratchFolder folder;
  const Protocol& http = *find_protocol("http");
  std::deque<Decision> log;
  std::size_t answers = 0;
  std::unique_ptr<AppProgress> progress = std::move(AppProgress::open(folder / "progress").value());
  std::unique_ptr<Supervisor> supervisor;
  std::unique_ptr<Applier> applier;

  void read_decisions(Index first, std::size_t,
                      std::function<void(Result<Decisions>)> done) override {
    loop.post([this, first, done] {
      Decisions found;
      for (Index i = first; i <= log.size(); ++i) found.push_back(log[i - 1]);
      done(found);
    });
  }
  void answered(const AppAnswer&) override { ++answers; }
  void read_in_place(const PlacedReads&, PlacedAnswers) override {}
  void applied_up_to(Index) override {}
  void backlog(bool) override {}

  Address free_port() {
    return Listener::open(loop, {.host = "127.0.0.1"}, [](Socket) {}).value()->address();
  }

  void supervise(const Address& address) {
    const std::string where =
        address.is_unix() ? "unix:" + address.unix_path : std::to_string(address.port);
    supervisor = std::make_unique<Supervisor>(
        loop, Supervisor::Settings{.command = {"python3", kScript, where}, .addresses = {address}});
    REQUIRE(supervisor->start().ok());
  }

  void start(config::App app, Supervisor* known_as_child) {
    ApplierSettings settings{
        .app = std::move(app),
        .listeners = {"main"},
        .node_name = [](NodeId) { return "node1"; },
        .comparison_of = [](const Operation&) -> const Comparison& { return uncompared(); }};
    applier = std::make_unique<Applier>(loop, std::move(settings), http, *progress, *this, *this,
                                        known_as_child);
    applier->start(log.size());
  }

  void decide(const std::string& body) {
    const Index index = log.size() + 1;
    Operation operation{.id = {.incarnation = 1, .number = index},
                        .listener = "main",
                        .method = "POST /",
                        .payload = payload(http, "POST", body)};
    log.push_back(
        {.seq = index,
         .timestamp = 1,
         .calls = {{.call = std::make_shared<const Call>(std::move(operation)), .index = index}}});
    applier->enqueue(log.back());
  }

  void run_until_applied(Index index) {
    run_until(loop, [&] { return applier->applied() == index && applier->health().ready(); });
  }

  /// The application's lines, read beside the ordered calls.
  std::string lines() {
    std::string text;
    applier->read(payload(http, "GET", ""), 5s, [&](Result<Reply> reply) {
      text = reply.ok() ? std::string(reply->payload.view()) : reply.error().message;
    });
    run_until(loop, [&] { return !text.empty(); });
    const std::size_t body = text.rfind('\n');
    return body == std::string::npos ? text : text.substr(body + 1);
  }
};

TEST_CASE("applier and HTTP: a killed child is started again and replayed from the first call") {
  Everything node;
  const Address address = node.free_port();
  node.supervise(address);
  node.start({.address = address}, node.supervisor.get());
  node.decide("a");
  node.decide("b");
  node.run_until_applied(2);
  CHECK_THAT(node.lines(), Catch::EndsWith("1 a|2 b"));

  const pid_t killed = node.supervisor->pid();
  ::kill(killed, SIGKILL);
  // While it dies it may close one connection and take another: "c" on that one would be a replay.
  run_until(node.loop, [&] {
    const bool replayed = node.answers == 4;
    return node.supervisor->pid() != killed && (replayed || !node.applier->health().ready());
  });
  node.decide("c");
  run_until(node.loop, [&] { return node.answers == 5; });
  node.run_until_applied(3);
  CHECK_THAT(node.lines(), Catch::EndsWith("1 replay a|2 replay b|3 c"));
}

TEST_CASE("applier and HTTP: a call that crashed the child is executed once by the next one") {
  Everything node;
  const Address address{.unix_path = node.folder / "app.sock"};
  node.supervise(address);
  node.start({.address = address}, node.supervisor.get());
  node.decide("a");
  node.decide("crash");
  node.decide("b");
  node.run_until_applied(3);
  CHECK_THAT(node.lines(), Catch::EndsWith("1 replay a|2 replay crash|3 b"));
}

TEST_CASE("applier and HTTP: a restart behind a Unix socket is seen by the peer's process") {
  Everything node;
  const Address address{.unix_path = node.folder / "app.sock"};
  node.supervise(address);
  node.start({.address = address}, /*known_as_child=*/nullptr);
  node.decide("a");
  node.run_until_applied(1);
  node.supervisor->restart("a test");
  run_until(node.loop, [&] { return node.answers == 2; });
  node.run_until_applied(1);
  CHECK_THAT(node.lines(), Catch::EndsWith("1 replay a"));
}

TEST_CASE("applier and HTTP: an application is asked which index it has") {
  Everything node;
  const Address address = node.free_port();
  node.supervise(address);
  node.start({.address = address,
              .state = config::AppState::kDurable,
              .applied_index = "GET /_zap/applied"},
             nullptr);
  node.decide("a");
  node.run_until_applied(1);
  node.supervisor->restart("a test");  // and it forgets
  run_until(node.loop, [&] { return node.answers == 2; });
  CHECK_THAT(node.lines(), Catch::EndsWith("1 replay a"));
}

TEST_CASE("applier and HTTP: reads share the ordered connection where there is only one") {
  Everything node;
  const Address address = node.free_port();
  node.supervise(address);
  node.start({.address = address, .connections = 1}, node.supervisor.get());
  node.decide("a");
  node.run_until_applied(1);
  CHECK_THAT(node.lines(), Catch::EndsWith("1 a"));
}

}  // namespace
}  // namespace zap
