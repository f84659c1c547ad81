#include "proxy/reads/linearizable_reads.h"

#include <catch2/catch.hpp>
#include <set>

#include "consensus/wire/codec.h"
#include "core/limits.h"
#include "tests/unit/proxy/loop_runner.h"

namespace zap {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

Digest digest_of(const std::string& text) { return Hasher("test").add(text).finish(); }

wire::ReadAnswers::Answer gives(std::uint32_t position, const std::string& text,
                                bool whole = false) {
  return {position, digest_of(text), whole ? Bytes(text) : Bytes()};
}

config::MethodTable no_methods() {
  auto methods =
      config::MethodTable::make({}, config::Unmatched::kClassify, config::Mode::kLinearizable);
  return std::move(*methods);
}

/// Node 0 of four, whose clients read; the test decides barriers and speaks for all readers.
struct House {
  EventLoop loop;
  config::Listener listener;
  config::Method method;
  Route route{&listener, no_methods(), nullptr, nullptr};
  std::vector<NodeId> others = {1, 2, 3};
  bool local_is_well = true;
  Lines ends;
  std::uint64_t number = 0;
  std::unique_ptr<LinearizableReads> reads;

  explicit House(config::Replies replies = config::Replies::kQuorum) {
    listener.name = "main";
    method.match = "GET /a";
    const auto say = [this](const WaitingRead& read, const std::string& what) {
      ends.push_back(std::to_string(read.sequence) + " " + what);
    };
    reads = std::make_unique<LinearizableReads>(
        loop,
        LinearizableReads::Settings{.self = 0,
                                    .everyone = {0, 1, 2, 3},
                                    .quorum = Quorum{4},
                                    .replies = replies,
                                    .round_timeout = 40ms},
        LinearizableReads::Handlers{
            .readers = [this] { return others; },
            .local_is_well = [this] { return local_is_well; },
            .verify = [](const WaitingRead&, const Bytes& answer) -> Result<Reply> {
              return Reply{answer, digest_of(std::string(answer.view()))};
            },
            .answered =
                [say](const WaitingRead& read, const Reply& reply, Index index) {
                  say(read, std::string(reply.payload.view()) + " @" + std::to_string(index));
                },
            .refused =
                [say](const WaitingRead& read, const ProxyError& error) {
                  say(read, std::string(to_string(error.code)));
                },
            .again = [] {},
            .order = [say](const WaitingRead& read) { say(read, "ordered"); },
            .read_locally =
                [say](const WaitingRead& read, Index index) {
                  say(read, "locally after " + std::to_string(index));
                }});
  }

  void read(std::uint64_t sequence, Index min_index = 0) {
    reads->add({.sequence = sequence,
                .route = &route,
                .method = &method,
                .payload = "GET",
                .min_index = min_index,
                .deadline = read_clocks().instant + 10s});
  }
  /// The next barrier, decided at once behind index 7.
  wire::Barrier barrier(Index index = 7) {
    const Instant now = read_clocks().instant;
    const OperationId id{0, 1, ++number};
    const Operation operation = reads->take_barrier(id, now, 0);
    CHECK(operation.kind == OperationKind::kBarrier);
    reads->decided(id, index, now);
    return wire::decode_barrier(operation.payload).value();
  }
  void hear(NodeId from, std::vector<wire::ReadAnswers::Answer> answers) {
    reads->heard(from, {.number = number, .answers = std::move(answers)});
  }
};

}  // namespace

TEST_CASE("linearizable reads: f + 1 equal answers from one place are the answer") {
  House house;
  house.read(1);
  house.read(2);
  const wire::Barrier barrier = house.barrier();
  REQUIRE(barrier.readers.size() == 2);
  CHECK(barrier.readers[0] == 0);
  CHECK(barrier.reads.size() == 2);
  CHECK_FALSE(barrier.whole);
  house.hear(0, {gives(0, "a", true), gives(1, "b", true)});
  CHECK(house.ends.empty());
  house.hear(barrier.readers[1], {gives(0, "a"), gives(1, "b")});
  CHECK(house.ends == Lines{"1 a @7", "2 b @7"});
  CHECK(house.reads->unanswered() == 0);
}

TEST_CASE("linearizable reads: nodes are named in turns, and one's answer counts once") {
  House house;
  std::set<NodeId> named;
  for (int i = 0; i < 3; ++i) {
    house.read(1);
    named.insert(house.barrier().readers[1]);
    house.hear(0, {gives(0, "a", true)});
    house.hear(0, {gives(0, "a", true)});
  }
  CHECK(named == std::set<NodeId>{1, 2, 3});
  CHECK(house.ends.empty());
}

TEST_CASE("linearizable reads: who was not named is not heard") {
  House house;
  house.read(1);
  const NodeId named = house.barrier().readers[1];
  house.hear(0, {gives(0, "a", true)});
  house.hear(named % 3 + 1, {gives(0, "a", true)});
  CHECK(house.ends.empty());
}

TEST_CASE("linearizable reads: where nodes are late, all are named; then the read is ordered") {
  House house;
  house.read(1);
  const NodeId late = house.barrier().readers[1];
  house.hear(0, {gives(0, "a", true)});
  run_until(house.loop, [&] { return house.reads->waiting() == 1; });
  const wire::Barrier second = house.barrier();
  CHECK(second.readers == std::vector<NodeId>{0, 1, 2, 3});
  CHECK(second.whole);
  for (const NodeId node : {0u, 1u, 2u, 3u}) {
    if (node != late) house.hear(node, {{0, std::nullopt, {}}});
  }
  CHECK(house.ends == Lines{"1 ordered"});

  for (int i = 0; i < 3; ++i) {
    house.read(2);
    const wire::Barrier next = house.barrier();
    CHECK(std::find(next.readers.begin(), next.readers.end(), late) == next.readers.end());
  }
}

TEST_CASE("linearizable reads: an earlier barrier may still answer") {
  House house;
  house.read(1);
  const NodeId slow = house.barrier().readers[1];
  house.hear(0, {gives(0, "a", true)});
  run_until(house.loop, [&] { return house.reads->waiting() == 1; });
  house.hear(slow, {gives(0, "a")});
  CHECK(house.ends == Lines{"1 a @7"});
}

TEST_CASE(
    "linearizable reads: a false or missing local answer is replaced by one that others gave") {
  House house;
  house.read(1);
  const NodeId other = house.barrier().readers[1];
  house.hear(0, {gives(0, "false", true)});
  house.hear(other, {gives(0, "true")});
  REQUIRE(house.reads->waiting() == 1);
  house.barrier(8);
  house.hear(0, {gives(0, "false", true)});
  house.hear(1, {{0, digest_of("true"), "a lie about its bytes"}});
  house.hear(2, {gives(0, "true", true)});
  CHECK(house.ends == Lines{"1 true @8"});
}

TEST_CASE(
    "linearizable reads: without an application of its own a node asks two others, for bytes") {
  House house;
  house.local_is_well = false;
  house.read(1);
  const wire::Barrier barrier = house.barrier();
  CHECK(barrier.whole);
  REQUIRE(barrier.readers.size() == 2);
  for (const NodeId node : barrier.readers) {
    CHECK(node != 0);
    house.hear(node, {gives(0, "a", true)});
  }
  CHECK(house.ends == Lines{"1 a @7"});
}

TEST_CASE("linearizable reads: where no two are equal the client is told") {
  House house;
  house.others = {};
  house.read(1);
  CHECK(house.barrier().readers.size() == 4);
  for (const NodeId node : {0, 1, 2, 3}) house.hear(node, {gives(0, std::to_string(node), true)});
  REQUIRE(house.reads->waiting() == 1);
  house.barrier();
  for (const NodeId node : {0, 1, 2, 3}) house.hear(node, {gives(0, std::to_string(node), true)});
  CHECK(house.ends == Lines{"1 answers_differ"});
}

TEST_CASE("linearizable reads: applications that cannot read leave it to the order") {
  House house;
  house.read(1);
  const NodeId other = house.barrier().readers[1];
  house.hear(0, {{0, std::nullopt, {}}});
  house.hear(other, {{0, std::nullopt, {}}});
  REQUIRE(house.reads->waiting() == 1);
  house.barrier();
  for (const NodeId node : {0, 1, 2}) house.hear(node, {{0, std::nullopt, {}}});
  CHECK(house.ends == Lines{"1 ordered"});
}

TEST_CASE("linearizable reads: an index that the order has not reached is waited for") {
  House house;
  house.read(1, /*min_index=*/9);
  const auto answer = [&](Index index) {
    const NodeId other = house.barrier(index).readers[1];
    house.hear(0, {gives(0, "a", true)});
    house.hear(other, {gives(0, "a")});
  };
  answer(7);
  CHECK(house.ends.empty());
  house.reads->tick(read_clocks().instant);
  answer(9);
  CHECK(house.ends == Lines{"1 a @9"});

  house.read(2, /*min_index=*/99);
  answer(9);
  house.reads->tick(read_clocks().instant + 11s);
  CHECK(house.ends.back() == "2 index_not_reached");
}

TEST_CASE("linearizable reads: what is not answered in time is refused, and forgotten") {
  House house;
  house.read(1);
  house.barrier();
  house.read(2);
  house.reads->tick(read_clocks().instant + 11s);
  CHECK(house.ends == Lines{"2 outcome_unknown", "1 outcome_unknown"});
  CHECK(house.reads->unanswered() == 0);
}

TEST_CASE("linearizable reads: with replies local the barrier is empty, and only a place") {
  House house(config::Replies::kLocal);
  house.read(1);
  const wire::Barrier barrier = house.barrier();
  CHECK(barrier.readers.empty());
  CHECK(barrier.reads.empty());
  CHECK(house.ends == Lines{"1 locally after 7"});
}

TEST_CASE("linearizable reads: a turn that brought very many has several barriers") {
  House house;
  for (std::uint64_t i = 0; i <= limits::kBarrierReads; ++i) house.read(i);
  CHECK(house.barrier().reads.size() == limits::kBarrierReads);
  CHECK(house.barrier().reads.size() == 1);
}

}  // namespace zap
