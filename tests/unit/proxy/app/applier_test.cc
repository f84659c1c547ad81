#include "proxy/app/applier.h"

#include <catch2/catch.hpp>
#include <deque>

#include "proxy/app/app_connection.h"
#include "proxy/app/app_progress.h"
#include "tests/unit/proxy/line_app.h"
#include "tests/unit/proxy/line_protocol.h"
#include "tests/unit/proxy/loop_runner.h"
#include "tests/unit/proxy/scratch_folder.h"

namespace zap {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// One call a slot; call i says "call i".
Decision decision(Index index, const std::string& listener = "main") {
  Operation operation{.id = {.origin = 0, .incarnation = 7, .number = index},
                      .listener = listener,
                      .method = "POST /",
                      .payload = Bytes("call " + std::to_string(index))};
  return {
      .seq = index,
      .timestamp = 1000,
      .calls = {
          {.call = std::make_shared<const Call>(std::move(operation)), .index = index, .seed = 5}}};
}

/// A log that holds everything, and counts how often it is read.
class Log : public DecisionSource {
 public:
  explicit Log(EventLoop& loop) : loop_(loop) {}

  const Decision& append(const std::string& listener = "main") {
    return decisions_.emplace_back(decision(decisions_.size() + 1, listener));
  }
  Index last() const { return decisions_.size(); }
  std::size_t reads = 0;

  void read_decisions(Index first, std::size_t bytes,
                      std::function<void(Result<Decisions>)> done) override {
    ++reads;
    Decisions found;
    std::size_t size = 0;
    for (Index i = first; i <= decisions_.size() && size <= bytes; ++i) {
      found.push_back(decisions_[i - 1]);
      size += found.back().calls[0].call->operation.payload.size();
    }
    loop_.post([found, done] { done(found); });
  }

 private:
  EventLoop& loop_;
  std::deque<Decision> decisions_;
};

struct Observer : ApplierObserver {
  void answered(const AppAnswer& answer) override {
    answers.push_back(std::to_string(answer.index) + " " +
                      (answer.reply ? std::string(answer.reply->payload.view()) : "lost") +
                      (answer.replay ? " replay" : ""));
  }
  void read_in_place(const PlacedReads& reads, PlacedAnswers given) override {
    for (std::size_t i = 0; i < given.size(); ++i) {
      answers.push_back("read " + std::to_string(reads.reads[i].position) + ": " +
                        (given[i] ? std::string(given[i]->payload.view()) : "none"));
    }
  }
  void applied_up_to(Index index) override { applied = index; }
  void backlog(bool full) override { backlogs.push_back(full); }

  Lines answers;
  Index applied = 0;
  std::vector<bool> backlogs;
};

std::optional<std::string> echo(const std::string&) { return "ok"; }
std::optional<std::string> silence(const std::string&) { return std::nullopt; }

/// A sidecar's part around an applier, which can be started again over the same log and folder.
struct Sidecar {
  EventLoop loop;
  ScratchFolder folder;
  LineProtocol protocol;
  Log log{loop};
  Observer observer;
  ApplierSettings settings{
      .listeners = {"main"},
      .node_name = [](NodeId id) { return "node" + std::to_string(id + 1); },
      .comparison_of = [](const Operation&) -> const Comparison& { return uncompared(); }};
  std::unique_ptr<AppProgress> progress;
  std::unique_ptr<Applier> applier;

  void start(const Address& app) {
    settings.app.address = app;
    applier.reset();
    progress.reset();
    progress = std::move(AppProgress::open(folder / "app").value());
    applier =
        std::make_unique<Applier>(loop, settings, protocol, *progress, log, observer, nullptr);
    applier->start(log.last());
  }

  void decide(int calls, const std::string& listener = "main") {
    for (int i = 0; i < calls; ++i) applier->enqueue(log.append(listener));
  }

  void run_until_applied(Index index) {
    run_until(loop, [&] { return observer.applied == index && applier->applied() == index; });
  }

  std::unique_ptr<LineApp> app(LineApp::Answer answer,
                               const Address& address = {.host = "127.0.0.1"}) {
    return std::make_unique<LineApp>(loop, address, std::move(answer));
  }
};

TEST_CASE("applier: calls go out in order, each after the answer to the one before") {
  Sidecar sidecar;
  const auto app = sidecar.app(echo);
  sidecar.start(app->address());
  sidecar.decide(3);
  sidecar.run_until_applied(3);
  CHECK(app->received == Lines{"1 call 1", "2 call 2", "3 call 3"});
  CHECK(app->most_at_once == 1);
  CHECK(sidecar.observer.answers == Lines{"1 ok", "2 ok", "3 ok"});
  CHECK(sidecar.applier->health().ready());
}

TEST_CASE("applier: calls of other applications move the index and are not handed over") {
  Sidecar sidecar;
  const auto app = sidecar.app(echo);
  sidecar.start(app->address());
  sidecar.decide(1);
  sidecar.decide(2, "other");
  sidecar.run_until_applied(3);
  sidecar.decide(1, "other");
  sidecar.run_until_applied(4);
  CHECK(app->received == Lines{"1 call 1"});
}

TEST_CASE("applier: a slow application is waited for and asked once") {
  Sidecar sidecar;
  const auto app = sidecar.app(silence);
  sidecar.start(app->address());
  sidecar.decide(2);
  run_for(sidecar.loop, 300ms);
  CHECK(app->received == Lines{"1 call 1"});
  app->answer("late");
  run_until(sidecar.loop, [&] { return app->received.size() == 2; });
  CHECK(sidecar.observer.answers == Lines{"1 late"});
}

TEST_CASE("applier: a call whose connection broke unanswered is sent again, as a replay") {
  Sidecar sidecar;
  const auto app = sidecar.app(silence);
  sidecar.start(app->address());
  sidecar.decide(2);
  run_until(sidecar.loop, [&] { return app->waiting() == 1; });
  const std::size_t reads = sidecar.log.reads;
  app->hang_up();
  run_until(sidecar.loop, [&] { return app->waiting() == 1; });
  app->answer("ok");
  run_until(sidecar.loop, [&] { return app->waiting() == 1; });
  CHECK(app->received == Lines{"1 call 1", "1 replay call 1", "2 call 2"});
  CHECK(sidecar.log.reads == reads);
  CHECK(sidecar.observer.answers == Lines{"1 ok replay"});
}

TEST_CASE("applier: a closed idle connection is no restart: nothing is sent again") {
  Sidecar sidecar;
  const auto app = sidecar.app(echo);
  sidecar.start(app->address());
  sidecar.decide(1);
  sidecar.run_until_applied(1);
  const std::size_t reads = sidecar.log.reads;
  app->hang_up();
  sidecar.decide(1);
  sidecar.run_until_applied(2);
  CHECK(app->received == Lines{"1 call 1", "2 call 2"});
  CHECK(sidecar.log.reads == reads);
  CHECK(sidecar.applier->health().ready());
}

TEST_CASE(
    "applier: a call that always breaks the application blocks the queue and is not skipped") {
  Sidecar sidecar;
  LineApp* breaks = nullptr;
  const auto app = sidecar.app([&](const std::string& line) -> std::optional<std::string> {
    if (line.ends_with("call 1")) return "ok";
    sidecar.loop.post([&] { breaks->hang_up(); });
    return std::nullopt;
  });
  breaks = app.get();
  sidecar.start(app->address());
  sidecar.decide(3);
  run_until(sidecar.loop, [&] { return sidecar.applier->health().attempts >= 3; });
  const AppHealth health = sidecar.applier->health();
  CHECK(health.state == AppHealth::State::kBlocked);
  CHECK(health.blocked_at == 2);
  CHECK_FALSE(health.ready());
  CHECK(sidecar.observer.applied == 1);
  for (const std::string& line : app->received) CHECK_FALSE(line.ends_with("call 3"));
}

TEST_CASE("applier: a restarted memory application is replayed from the first call") {
  Sidecar sidecar;
  auto app = sidecar.app(echo);
  sidecar.start(app->address());
  sidecar.decide(3);
  sidecar.run_until_applied(3);

  const Address address = app->address();
  app.reset();
  run_until(sidecar.loop, [&] { return !sidecar.applier->health().ready(); });
  app = sidecar.app(echo, address);
  sidecar.decide(1);
  sidecar.run_until_applied(4);
  CHECK(app->received ==
        Lines{"1 replay call 1", "2 replay call 2", "3 replay call 3", "4 call 4"});
  run_until(sidecar.loop, [&] { return sidecar.applier->health().ready(); });
}

TEST_CASE("applier: a restarted durable application goes on where it was") {
  Sidecar sidecar;
  sidecar.settings.app.state = config::AppState::kDurable;
  auto app = sidecar.app(echo);
  sidecar.start(app->address());
  sidecar.decide(2);
  sidecar.run_until_applied(2);

  const Address address = app->address();
  app.reset();
  app = sidecar.app(echo, address);
  sidecar.decide(1);
  sidecar.run_until_applied(3);
  CHECK(app->received == Lines{"3 call 3"});
}

TEST_CASE("applier: a durable application that tells its index is asked, and gets what it lacks") {
  Sidecar sidecar;
  sidecar.settings.app.state = config::AppState::kDurable;
  sidecar.settings.app.applied_index = "GET /applied";
  std::string applied = "0";
  const auto answer = [&](const std::string& line) -> std::optional<std::string> {
    if (line == "- ask /applied") return applied;
    return "ok";
  };
  auto app = sidecar.app(answer);
  sidecar.start(app->address());
  sidecar.decide(4);
  sidecar.run_until_applied(4);

  const Address address = app->address();
  app.reset();
  applied = "2";  // it lost what it had not flushed
  app = sidecar.app(answer, address);
  run_until(sidecar.loop, [&] { return app->received.size() == 3; });
  CHECK(app->received == Lines{"- ask /applied", "3 replay call 3", "4 replay call 4"});
}

TEST_CASE("applier: an executed call whose answer was lost is not sent again where that is told") {
  Sidecar sidecar;
  sidecar.settings.app.applied_index = "GET /applied";
  std::string applied = "0";
  const auto app = sidecar.app([&](const std::string& line) -> std::optional<std::string> {
    if (line == "- ask /applied") return applied;
    if (line == "2 call 2") return std::nullopt;
    return "ok";
  });
  sidecar.start(app->address());
  sidecar.decide(3);
  run_until(sidecar.loop, [&] { return app->waiting() == 1; });
  applied = "2";
  app->hang_up();
  sidecar.run_until_applied(3);
  CHECK(app->received ==
        Lines{"- ask /applied", "1 call 1", "2 call 2", "- ask /applied", "3 call 3"});
  CHECK(sidecar.observer.answers == Lines{"1 ok", "2 lost replay", "3 ok"});
}

TEST_CASE("applier: a restarted sidecar goes on beside the application that lived") {
  Sidecar sidecar;
  const auto app = sidecar.app(echo);
  sidecar.start(app->address());
  sidecar.decide(2);
  sidecar.run_until_applied(2);
  sidecar.applier.reset();
  sidecar.log.append();

  sidecar.start(app->address());
  sidecar.run_until_applied(3);
  CHECK(app->received == Lines{"1 call 1", "2 call 2", "3 call 3"});
}

TEST_CASE("applier: a restarted sidecar sends the one call in doubt again") {
  Sidecar sidecar;
  const auto app = sidecar.app(silence);
  sidecar.start(app->address());
  sidecar.decide(1);
  run_until(sidecar.loop, [&] { return app->waiting() == 1; });
  sidecar.start(app->address());
  run_until(sidecar.loop, [&] { return app->received.size() == 2; });
  CHECK(app->received == Lines{"1 call 1", "1 replay call 1"});
}

TEST_CASE("applier: a restarted sidecar replays to an application that restarted meanwhile") {
  Sidecar sidecar;
  auto app = sidecar.app(echo);
  sidecar.start(app->address());
  sidecar.decide(2);
  sidecar.run_until_applied(2);
  sidecar.applier.reset();

  const Address address = app->address();
  app.reset();
  app = sidecar.app(echo, address);
  sidecar.start(address);
  sidecar.run_until_applied(2);
  run_until(sidecar.loop, [&] { return app->received.size() == 2; });
  CHECK(app->received == Lines{"1 replay call 1", "2 replay call 2"});
}

TEST_CASE("applier: a changed app.instance is a restart") {
  Sidecar sidecar;
  sidecar.settings.app.instance = "GET /instance";
  std::string instance = "a";
  const auto app = sidecar.app([&](const std::string& line) -> std::optional<std::string> {
    return line == "- ask /instance" ? instance : "ok";
  });
  sidecar.start(app->address());
  sidecar.decide(1);
  sidecar.run_until_applied(1);
  instance = "b";
  app->hang_up();
  run_until(sidecar.loop, [&] { return app->received.size() == 4; });
  CHECK(app->received ==
        Lines{"- ask /instance", "1 call 1", "- ask /instance", "1 replay call 1"});
}

TEST_CASE("applier: in quarantine an application gets no calls and gives no answers") {
  Sidecar sidecar;
  std::string heard;
  const auto app = sidecar.app(silence);
  sidecar.start(app->address());
  sidecar.decide(2);
  run_until(sidecar.loop, [&] { return app->waiting() == 1; });
  app->answer("one");
  run_until(sidecar.loop, [&] { return app->waiting() == 1; });
  CHECK(sidecar.applier->quarantine(1));
  sidecar.applier->read(Bytes("read"), 5s, [&](const Result<Reply>& reply) {
    heard = reply ? "answered" : reply.error().message;
  });
  app->answer("two");
  sidecar.decide(1);
  run_for(sidecar.loop, 50ms);
  CHECK(app->received == Lines{"1 call 1", "2 call 2"});
  CHECK(sidecar.observer.answers == Lines{"1 one", "2 lost"});
  CHECK_THAT(heard, Catch::Contains("quarantine"));
  CHECK(sidecar.applier->health().state == AppHealth::State::kQuarantined);

  sidecar.start(app->address());  // the sidecar restarts, the application does not
  run_for(sidecar.loop, 50ms);
  CHECK(app->received.size() == 2);
  CHECK(sidecar.applier->health().state == AppHealth::State::kQuarantined);
}

TEST_CASE("applier: a restart and a replay end the quarantine of a memory application") {
  Sidecar sidecar;
  auto app = sidecar.app(echo);
  sidecar.start(app->address());
  sidecar.decide(3);
  sidecar.run_until_applied(3);
  CHECK(sidecar.applier->quarantine(2));
  sidecar.decide(1);

  const Address address = app->address();
  app.reset();
  app = sidecar.app(echo, address);
  run_until(sidecar.loop, [&] { return sidecar.applier->health().ready(); });
  sidecar.run_until_applied(4);
  CHECK(app->received ==
        Lines{"1 replay call 1", "2 replay call 2", "3 replay call 3", "4 call 4"});
  CHECK_FALSE(sidecar.applier->quarantine(3));  // an answer of the run before
  CHECK(sidecar.applier->quarantine(4));
}

TEST_CASE("applier: a durable application that restarts stays in quarantine") {
  Sidecar sidecar;
  sidecar.settings.app.state = config::AppState::kDurable;
  auto app = sidecar.app(echo);
  sidecar.start(app->address());
  sidecar.decide(2);
  sidecar.run_until_applied(2);
  CHECK(sidecar.applier->quarantine(2));
  const Address address = app->address();
  app.reset();
  app = sidecar.app(echo, address);
  sidecar.decide(1);
  run_until(sidecar.loop, [&] { return app->accepted > 0; });
  run_for(sidecar.loop, 50ms);
  CHECK(app->received.empty());
  CHECK(sidecar.applier->health().state == AppHealth::State::kQuarantined);
}

TEST_CASE("applier: a quarantine that is taken back goes on where it stopped") {
  Sidecar sidecar;
  const auto app = sidecar.app(echo);
  sidecar.start(app->address());
  sidecar.decide(1);
  sidecar.run_until_applied(1);
  CHECK(sidecar.applier->quarantine(1));
  sidecar.decide(2);
  run_for(sidecar.loop, 20ms);
  sidecar.applier->take_quarantine_back();
  sidecar.run_until_applied(3);
  CHECK(app->received == Lines{"1 call 1", "2 call 2", "3 call 3"});
  CHECK(sidecar.applier->health().ready());
}

TEST_CASE("applier: beyond its bound, decided calls wait in the log and not in memory") {
  Sidecar sidecar;
  sidecar.settings.queue_calls = 4;
  const auto app = sidecar.app(silence);
  sidecar.start(app->address());
  sidecar.decide(20);
  run_until(sidecar.loop, [&] { return app->waiting() == 1; });
  CHECK(sidecar.observer.backlogs == std::vector<bool>{true});
  for (Index i = 1; i <= 20; ++i) {
    run_until(sidecar.loop, [&] { return app->waiting() == 1; });
    app->answer("ok");
  }
  sidecar.run_until_applied(20);
  CHECK(app->received.size() == 20);
  CHECK(app->received.back() == "20 call 20");
  CHECK(sidecar.log.reads > 2);
  CHECK(sidecar.observer.backlogs == std::vector<bool>{true, false});
}

TEST_CASE("applier: an application that does not listen is unreachable until it does") {
  Sidecar sidecar;
  auto app = sidecar.app(echo);
  const Address address = app->address();
  app.reset();
  sidecar.start(address);
  sidecar.decide(1);
  run_until(sidecar.loop,
            [&] { return sidecar.applier->health().state == AppHealth::State::kUnreachable; });
  CHECK_THAT(sidecar.applier->health().text(), Catch::Contains("refused"));
  app = sidecar.app(echo, address);
  sidecar.run_until_applied(1);
  CHECK(sidecar.applier->health().ready());
}

}  // namespace
}  // namespace zap
