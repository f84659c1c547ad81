// Barriers between calls: an applier whose application answers when the test says so.

#include <catch2/catch.hpp>

#include "proxy/app/app_connection.h"
#include "proxy/app/app_progress.h"
#include "proxy/app/applier.h"
#include "tests/unit/proxy/line_app.h"
#include "tests/unit/proxy/line_protocol.h"
#include "tests/unit/proxy/loop_runner.h"
#include "tests/unit/proxy/scratch_folder.h"

namespace zap {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

struct NoLog : DecisionSource {
  void read_decisions(Index, std::size_t, std::function<void(Result<Decisions>)> done) override {
    done(Decisions{});
  }
};

struct House : ApplierObserver {
  EventLoop loop;
  ScratchFolder folder;
  LineProtocol protocol;
  NoLog log;
  LineApp app{loop, {.host = "127.0.0.1"}, [](const std::string&) { return std::nullopt; }};
  Result<std::unique_ptr<AppProgress>> progress = AppProgress::open(folder / "app");
  std::optional<Applier> applier;
  Index index = 0;
  Lines heard;

  explicit House(std::uint32_t connections = 4) {
    ApplierSettings settings{
        .listeners = {"main"},
        .node_name = [](NodeId) { return "node1"; },
        .comparison_of = [](const Operation&) -> const Comparison& { return uncompared(); },
        .reads_of =
            [](const CallPtr& barrier) {
              PlacedReads reads{.barrier = barrier};
              reads.reads.push_back({0, &uncompared(), "read a"});
              reads.reads.push_back({1, &uncompared(), "read b"});
              return std::make_shared<const PlacedReads>(std::move(reads));
            },
        .app_is = AppIs::kEmpty};
    settings.app.address = app.address();
    settings.app.connections = connections;
    applier.emplace(loop, std::move(settings), protocol, **progress, log, *this, nullptr);
    applier->start(0);
    run_until(loop, [this] { return applier->health().ready(); });
  }

  void decide_call() { decide(OperationKind::kCall, Outcome::kApplied, ++index); }
  void decide_barrier() { decide(OperationKind::kBarrier, Outcome::kBarrier, index); }
  void decide(OperationKind kind, Outcome outcome, Index at) {
    const Operation operation{.id = {0, 1, ++number},
                              .deadline = read_clocks().wall + Duration(10s).count(),
                              .listener = "main",
                              .payload = "call",
                              .kind = kind};
    Decision decision{.seq = number};
    decision.calls.push_back({std::make_shared<const Call>(operation), outcome, at});
    applier->enqueue(decision);
  }
  void wait_for(std::size_t waiting) {
    run_until(loop, [this, waiting] { return app.waiting() == waiting; });
  }

  void answered(const AppAnswer& answer) override { heard.push_back(std::to_string(answer.index)); }
  void read_in_place(const PlacedReads& reads, PlacedAnswers answers) override {
    for (std::size_t i = 0; i < answers.size(); ++i) {
      heard.push_back("read " + std::to_string(reads.reads[i].position) +
                      (answers[i] ? "" : " failed"));
    }
  }
  void applied_up_to(Index) override {}
  void backlog(bool) override {}

 private:
  std::uint64_t number = 0;
};

}  // namespace

TEST_CASE("reads in place: they run between two calls, side by side") {
  House house;
  house.decide_call();
  house.decide_barrier();
  house.decide_call();
  house.wait_for(1);
  CHECK(house.app.received == Lines{"1 call"});
  house.app.answer("ok");
  house.wait_for(2);
  CHECK(house.app.received.size() == 3);
  CHECK(house.heard == Lines{"1"});
  house.app.answer("a");
  run_for(house.loop, 20ms);
  CHECK(house.app.received.size() == 3);  // the call behind them waits for both
  house.app.answer("b");
  house.wait_for(1);
  CHECK(house.app.received.back() == "2 call");
  CHECK(house.heard == Lines{"1", "read 0", "read 1"});
}

TEST_CASE("reads in place: an application of one connection gets them there, one by one") {
  House house(/*connections=*/1);
  house.decide_call();
  house.decide_barrier();
  house.decide_call();
  for (const char* line : {"1 call", "- read a", "- read b", "2 call"}) {
    house.wait_for(1);
    CHECK(house.app.received.back() == line);
    house.app.answer("ok");
  }
  run_until(house.loop, [&] { return house.heard.size() == 4; });
  CHECK(house.heard == Lines{"1", "read 0", "read 1", "2"});
}

TEST_CASE("reads in place: barriers with no call between them run together") {
  House house;
  house.decide_barrier();
  house.decide_barrier();
  house.wait_for(3);  // as many as there are connections for reads
  for (int i = 0; i < 4; ++i) {
    house.app.answer("ok");
    run_for(house.loop, 5ms);
  }
  run_until(house.loop, [&] { return house.heard.size() == 4; });
}

TEST_CASE("reads in place: a barrier moves no index, and who is behind leaves it to others") {
  House house;
  house.decide_call();
  house.wait_for(1);
  house.app.answer("ok");
  run_until(house.loop, [&] { return house.applier->applied() == 1; });
  house.index = 5;  // calls 2 to 5 are not known here yet
  house.decide_barrier();
  run_for(house.loop, 20ms);
  CHECK(house.app.waiting() == 0);
  CHECK(house.applier->applied() == 1);
}

}  // namespace zap
