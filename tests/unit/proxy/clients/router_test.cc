// The router between toy clients and a toy engine that decides what is submitted when told to;
// the application is a real one, over a socket.

#include "proxy/clients/router.h"

#include <catch2/catch.hpp>

#include "core/limits.h"
#include "proxy/app/app_progress.h"
#include "tests/unit/proxy/line_app.h"
#include "tests/unit/proxy/line_protocol.h"
#include "tests/unit/proxy/loop_runner.h"
#include "tests/unit/proxy/scratch_folder.h"

namespace zap {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

const Membership kMembers{.members = {{.id = 0, .name = "node1"},
                                      {.id = 1, .name = "node2"},
                                      {.id = 2, .name = "node3"},
                                      {.id = 3, .name = "node4"}}};

struct ToyEngine : Engine {
  EngineState now{.phase = EngineState::Phase::kNormal};
  std::size_t space = 100;
  std::vector<std::vector<Operation>> submits;

  Outputs step(const Now&, const Input& input) override {
    if (const auto* submit = std::get_if<Submit>(&input)) submits.push_back(submit->operations);
    return {};
  }
  EngineState state() const override { return now; }
  std::size_t room() const override { return space; }
  bool is_decided(const OperationId&) const override { return false; }
  bool is_superfluous(const Message&) const override { return false; }
  void check_invariants() const override {}
  std::string dump() const override { return {}; }
};

struct NoPorts : DriverPorts {
  void append_to_log(std::vector<Record>) override {}
  void sync_log() override {}
  void sign(Message&) override {}
  void send(NodeId, const MessagePtr&) override {}
  void serve_from_log(const Serve&) override {}
  void decided(const Decision&) override {}
  void notice(const Notice&) override {}
  void wake_at(Instant) override {}
  Now now() override { return read_clocks(); }
};

struct NoLog : DecisionSource {
  void read_decisions(Index, std::size_t, std::function<void(Result<Decisions>)> done) override {
    done(Decisions{});
  }
};

struct ToyClient : Client {
  Lines heard;
  void answer(std::uint64_t sequence, const Answer& answer) override {
    heard.push_back(std::to_string(sequence) + " " + std::string(answer.payload.view()) + " " +
                    answer.operation_id + " @" + std::to_string(answer.index.value_or(0)));
  }
  void refuse(std::uint64_t sequence, const ProxyError& error) override {
    heard.push_back(std::to_string(sequence) + " " + std::string(to_string(error.code)));
  }
};

struct House : ApplierObserver {
  explicit House(std::size_t queue_bytes = 20, config::Replies replies = config::Replies::kQuorum) {
    listener.name = "main";
    listener.methods = {{.match = "POST /orders", .mode = config::Mode::kReplicated},
                        {.match = "GET /local", .mode = config::Mode::kLocal},
                        {.match = "GET /fresh", .mode = config::Mode::kLocal, .max_staleness = 1s},
                        {.match = "DELETE /orders", .mode = config::Mode::kReject}};
    ApplierSettings settings;
    app.emplace(loop, Address{.host = "127.0.0.1", .port = 0},
                [](const std::string& line) { return "did " + line; });
    settings.app.address = app->address();
    settings.listeners = {"main"};
    settings.node_name = [](NodeId) { return "node1"; };
    settings.comparison_of = [this](const Operation&) -> const Comparison& { return comparison; };
    settings.app_is = AppIs::kEmpty;
    applier.emplace(loop, std::move(settings), protocol, **progress, log, *this, nullptr);
    reads.emplace(*applier, metrics, [this](Index) { return as_of; });
    auto methods = config::MethodTable::make(listener.methods, config::Unmatched::kClassify,
                                             config::Mode::kLinearizable);
    route.emplace(Route{&listener, std::move(*methods), &*applier, &*reads});
    config::Limits limits;
    limits.queue_bytes = queue_bytes;
    limits.request_timeout = 2s;
    router.emplace(
        loop,
        RouterSettings{
            .incarnation = 7, .membership = kMembers, .replies = replies, .limits = limits},
        engine, driver, metrics,
        Router::Others{.connected = [this] { return peers_up; },
                       .apps_ready = [this] { return apps_ready; },
                       .own_apps_are_ready = [this] { return applier->health().ready(); }},
        CallsHandlers{.forget_fetch = [](const OperationId&) {},
                      .expects_local = [](const Call&) { return true; },
                      .mute = [this]() -> const std::vector<NodeId>& { return mute; }});
    applier->start(0);
    run_until(loop, [this] { return applier->health().ready(); });
    router->tick(read_clocks().instant);
  }

  void call(const char* verb, const char* path, std::uint64_t sequence,
            std::optional<Index> min_index = {}) {
    ClientCall made;
    made.sequence = sequence;
    made.method = {verb, path};
    made.payload = Bytes("pay-" + std::to_string(sequence));
    made.min_index = min_index;
    router->handle(client, *route, std::move(made));
  }
  void decide(const Operation& operation, Index index) {
    Decision decision{.seq = index, .timestamp = 1};
    decision.calls.push_back({.call = std::make_shared<const Call>(operation), .index = index});
    router->decided(decision.calls[0], 0, read_clocks().instant);
    applier->enqueue(decision);
  }
  void decide_as(const Operation& operation, Outcome outcome, Index index) {
    const DecidedCall decided{std::make_shared<const Call>(operation), outcome, index};
    router->decided(decided, 0, read_clocks().instant);
  }
  void call_once(const char* key, std::uint64_t sequence) {
    ClientCall made;
    made.sequence = sequence;
    made.method = {"POST", "/orders"};
    made.payload = "pay";
    made.key = IdempotencyKey{key, {}, {}};
    router->handle(client, *route, std::move(made));
  }

  void answered(const AppAnswer& answer) override {
    const OperationId& id = answer.call->operation.id;
    const Instant now = read_clocks().instant;
    router->calls().local_reply(id, &*answer.reply, /*counts=*/true, now);
    router->calls().peer_reply(2, id, answer.reply->compared, now);
  }
  void read_in_place(const PlacedReads&, PlacedAnswers) override {}
  void applied_up_to(Index index) override { reads->applied_up_to(index); }
  void backlog(bool) override {}

  ScratchFolder folder;
  EventLoop loop;
  LineProtocol protocol;
  std::optional<LineApp> app;
  Result<std::unique_ptr<AppProgress>> progress = AppProgress::open(folder / "progress");
  NoLog log;
  Comparison comparison;
  Metrics metrics{kMembers, "node1", "test"};
  ToyEngine engine;
  NoPorts ports;
  Driver driver{0, engine, ports};
  config::Listener listener;
  std::size_t peers_up = 3;
  Instant as_of{};
  std::vector<NodeId> apps_ready = {1, 2, 3};
  std::vector<NodeId> mute;
  std::shared_ptr<ToyClient> client = std::make_shared<ToyClient>();
  std::optional<Applier> applier;
  std::optional<LocalReads> reads;
  std::optional<Route> route;
  std::optional<Router> router;
};

}  // namespace

TEST_CASE("router: a read for which there is no room any more may be tried again") {
  House house;
  const std::size_t room = ApplierSettings().reads_waiting;
  for (std::size_t i = 1; i <= room + 1; ++i) house.call("GET", "/local", i);
  REQUIRE(house.client->heard.size() == 1);
  CHECK(house.client->heard[0] == std::to_string(room + 1) + " overloaded");
}

TEST_CASE("router: the calls of one turn leave in one submit, numbered without gaps") {
  House house;
  house.call("POST", "/orders", 1);
  house.call("DELETE", "/orders", 2);
  house.call("POST", "/orders", 3);
  CHECK(house.engine.submits.empty());
  run_for(house.loop, 5ms);
  REQUIRE(house.engine.submits.size() == 1);
  const auto& sent = house.engine.submits[0];
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].id == OperationId{0, 7, 1});
  CHECK(sent[1].id == OperationId{0, 7, 2});
  CHECK(sent[0].method == "POST /orders");
  CHECK(sent[0].deadline > read_clocks().wall);
  CHECK(house.client->heard == Lines{"2 rejected"});

  house.decide(sent[0], 1);
  run_until(house.loop, [&] { return house.client->heard.size() == 2; });
  CHECK(house.client->heard[1] == "1 did 1 pay-1 node1-7-1 @1");
}

TEST_CASE("router: while calls wait for their answers others gather, but not for long") {
  House house(/*queue_bytes=*/1'000);
  const auto submits = [&] { return house.engine.submits.size(); };
  house.call("POST", "/orders", 1);
  house.call("POST", "/orders", 2);
  run_until(house.loop, [&] { return submits() == 1; });
  house.call("POST", "/orders", 3);
  house.loop.at_end_of_turn([&] { house.loop.stop(); });
  house.loop.run();
  CHECK(submits() == 1);
  house.call("POST", "/orders", 4);  // as many as wait for their answers: sent at once
  run_until(house.loop, [&] { return submits() == 2; });
  CHECK(house.engine.submits[1].size() == 2);

  const Instant alone = read_clocks().instant;
  house.call("POST", "/orders", 5);
  run_until(house.loop, [&] { return submits() == 3; });
  CHECK(read_clocks().instant >= alone + RouterSettings{}.batch_timeout);
}

TEST_CASE("router: a call that cannot be ordered is refused before it has a number") {
  House house;
  house.peers_up = 1;
  house.call("POST", "/orders", 1);
  house.peers_up = 2;
  house.engine.now.phase = EngineState::Phase::kStarting;
  house.call("POST", "/orders", 2);
  house.engine.now.phase = EngineState::Phase::kNormal;
  house.engine.space = 0;
  house.call("POST", "/orders", 3);
  house.engine.space = 100;
  for (std::uint64_t sequence = 4; sequence <= 9; ++sequence) {
    house.call("POST", "/orders", sequence);  // of 5 bytes each; limits.queue_bytes is 20
  }
  house.router->drain();
  house.call("POST", "/orders", 10);
  run_for(house.loop, 5ms);
  CHECK(house.client->heard == Lines{"1 no_quorum", "2 starting", "3 overloaded", "8 overloaded",
                                     "9 overloaded", "10 draining"});
  REQUIRE(house.engine.submits.size() == 1);
  CHECK(house.engine.submits[0].front().id.number == 1);
  CHECK(house.engine.submits[0].size() == 4);
}

TEST_CASE("router: an application that is gone is no reason to refuse, but too few are one") {
  House house;
  house.app.reset();
  run_until(house.loop, [&] { return !house.applier->health().ready(); });
  house.call("POST", "/orders", 1);
  CHECK(house.client->heard.empty());
  CHECK(Router::app_refusal(*house.applier));  // /readyz says so all the same
  house.apps_ready = {2};
  house.call("POST", "/orders", 2);
  CHECK(house.client->heard == Lines{"2 starting"});
}

TEST_CASE("router: with replies local, only the application beside us can answer") {
  House house(20, config::Replies::kLocal);
  house.app.reset();
  run_until(house.loop, [&] { return !house.applier->health().ready(); });
  house.call("POST", "/orders", 1);
  CHECK(house.client->heard == Lines{"1 starting"});
}

TEST_CASE("router: without an answer in time the outcome is unknown") {
  House house;
  house.call("POST", "/orders", 1);
  run_for(house.loop, 5ms);
  house.router->tick(read_clocks().instant + 3s);
  CHECK(house.client->heard == Lines{"1 outcome_unknown"});
  CHECK(house.router->queue_bytes() == 0);
}

TEST_CASE("router: a client that is gone changes nothing for its call") {
  House house;
  house.call("POST", "/orders", 1);
  run_for(house.loop, 5ms);
  house.client.reset();
  house.decide(house.engine.submits[0][0], 1);
  run_until(house.loop, [&] { return house.router->calls().waiting() == 0; });
}

TEST_CASE("router: a local read waits for the index that it asks for") {
  House house;
  house.call("GET", "/local", 1, 1);
  house.call("GET", "/local", 2, 2);
  house.call("GET", "/local", 3);
  run_until(house.loop, [&] { return house.client->heard.size() == 1; });
  CHECK(house.client->heard[0] == "3 did - pay-3  @0");

  house.call("POST", "/orders", 4);
  run_for(house.loop, 5ms);
  house.decide(house.engine.submits[0][0], 1);
  run_until(house.loop, [&] { return house.client->heard.size() == 3; });
  CHECK(house.client->heard[2] == "1 did - pay-1  @1");

  house.reads->expire(read_clocks().instant + 3s);
  CHECK(house.client->heard.back() == "2 index_not_reached");
  CHECK(house.reads->waiting() == 0);
}

TEST_CASE("router: the node that waits for a key's first call says so, until it is over") {
  House house;
  house.call_once("k", 1);
  house.call_once("k", 2);
  house.call_once("other", 3);
  run_for(house.loop, 5ms);
  CHECK(house.client->heard == Lines{"2 key_in_flight"});
  const auto sent = house.engine.submits.at(0);
  REQUIRE(sent.size() == 2);
  REQUIRE(sent[0].once);
  CHECK(sent[0].once->key != sent[1].once->key);

  house.decide_as(sent[0], Outcome::kKeyReused, 9);
  CHECK(house.client->heard.back() == "1 key_reused");
  house.call_once("k", 4);
  run_for(house.loop, 5ms);
  CHECK(house.engine.submits.size() == 2);
}

TEST_CASE("router: a call that comes again under its key gets the first one's answer and index") {
  House house;
  house.call_once("k", 1);
  run_for(house.loop, 5ms);
  const Operation again = house.engine.submits.at(0).at(0);
  house.decide_as(again, Outcome::kRepeated, 3);
  CHECK(house.client->heard.empty());
  const Reply kept{"kept", {}};
  house.answered(
      {.index = 3, .call = std::make_shared<const Call>(again), .reply = kept, .repeated = true});
  CHECK(house.client->heard == Lines{"1 kept node1-7-1 @3"});
}

TEST_CASE("router: the reads of one turn leave in one barrier, beside the calls") {
  House house(/*queue_bytes=*/1'000);
  house.call("GET", "/a", 1);
  house.call("POST", "/orders", 2);
  house.call("GET", "/b", 3);
  run_for(house.loop, 5ms);
  REQUIRE(house.engine.submits.size() == 1);
  const auto& sent = house.engine.submits[0];
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].kind == OperationKind::kCall);
  CHECK(sent[1].kind == OperationKind::kBarrier);
  CHECK(sent[1].id == OperationId{0, 7, 2});

  house.decide_as(sent[1], Outcome::kBarrier, 41);
  const Reply reply{"seen", {}};
  for (const NodeId node : {0, 1, 2, 3}) {
    house.router->reads().heard(node, {.number = 2,
                                       .answers = {{0, reply.compared, reply.payload},
                                                   {1, reply.compared, reply.payload}}});
  }
  CHECK(house.client->heard == Lines{"1 seen  @41", "3 seen  @41"});
  CHECK(house.router->waiting() == 1);
  CHECK(house.router->queue_bytes() == 5);
}

TEST_CASE("router: a local read waits until this node is fresh enough") {
  House house;
  house.call("GET", "/fresh", 1);
  house.call("GET", "/fresh", 2);
  run_for(house.loop, 5ms);
  CHECK(house.client->heard.empty());
  house.as_of = read_clocks().instant;
  house.reads->look_again();
  run_until(house.loop, [&] { return house.client->heard.size() == 2; });
  CHECK(house.client->heard[0] == "1 did - pay-1  @0");

  house.as_of = {};
  house.call("GET", "/fresh", 3);
  house.reads->expire(read_clocks().instant + 3s);
  CHECK(house.client->heard.back() == "3 too_stale");
  CHECK(house.reads->waiting() == 0);
}

TEST_CASE("router: an ordered call that an ordered call makes would wait for itself") {
  House house;
  ClientCall call;
  call.sequence = 1;
  call.method = {"POST", "/orders"};
  call.parent_operation = "node1-7-1";
  house.router->handle(house.client, *house.route, std::move(call));
  CHECK(house.client->heard == Lines{"1 loop"});
}

}  // namespace zap
