#include "proxy/answers/answer_fetches.h"

#include <catch2/catch.hpp>

#include "core/limits.h"
#include "tests/unit/proxy/loop_runner.h"

namespace zap {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1000s};

Digest digest_of(std::string_view text) { return Hasher("test").add(text).finish(); }

struct Fetching {
  CallPtr call(std::uint64_t number) {
    return std::make_shared<const Call>(Operation{.id = {0, 7, number}});
  }
  void want(std::uint64_t number, std::vector<NodeId> donors) {
    fetches.want(call(number), digest_of("right"), std::move(donors), kStart);
    run_for(loop, 1ms);
  }
  void says(NodeId node, std::uint64_t number, const char* text) {
    fetches.heard(node, {{0, 7, number}, digest_of(text), Bytes(text)}, kStart);
    run_for(loop, 1ms);
  }

  EventLoop loop;
  std::vector<std::pair<NodeId, std::size_t>> asked;  ///< whom, for how many calls
  std::vector<std::string> done;
  AnswerFetches fetches{
      loop,
      {.ask = [this](NodeId donor,
                     const auto& message) { asked.emplace_back(donor, message.calls.size()); },
       .read = [](const Call&, const Bytes& answer) -> Result<Reply> {
         if (answer.empty()) return Error{ErrorCode::kInvalid, "not whole"};
         return Reply{answer, digest_of(answer.view())};
       },
       .done =
           [this](const OperationId&, const Reply* reply) {
             done.push_back(reply ? std::string(reply->payload.view()) : "nothing");
           }}};
};

using Asked = std::vector<std::pair<NodeId, std::size_t>>;

TEST_CASE("answer fetches: what is wanted in a turn leaves in one message to each donor") {
  Fetching f;
  for (std::uint64_t number = 1; number <= 4; ++number) {
    f.fetches.want(f.call(number), digest_of("right"), {1, 2}, kStart);
  }
  run_for(f.loop, 1ms);
  CHECK(f.asked == Asked{{1, 2}, {2, 2}});
}

TEST_CASE("answer fetches: only bytes that come to the agreed digest count") {
  Fetching f;
  f.want(2, {1, 3});
  CHECK(f.asked == Asked{{1, 1}});
  f.says(2, 2, "right");  // was not asked
  CHECK(f.done.empty());
  f.says(1, 2, "false");
  CHECK(f.asked == Asked{{1, 1}, {3, 1}});
  f.says(3, 2, "right");
  CHECK(f.done == std::vector<std::string>{"right"});
}

TEST_CASE("answer fetches: a digest beside other bytes, or broken ones, proves nothing") {
  Fetching f;
  f.want(2, {1, 3});
  f.fetches.heard(1, {{0, 7, 2}, digest_of("right"), Bytes("false")}, kStart);
  f.fetches.heard(3, {{0, 7, 2}, digest_of("right"), Bytes()}, kStart);
  CHECK(f.done == std::vector<std::string>{"nothing"});
}

TEST_CASE("answer fetches: a donor that is silent is not waited for, and asked again in its turn") {
  Fetching f;
  f.want(2, {1, 3});
  f.fetches.tick(kStart + 1ms);
  run_for(f.loop, 1ms);
  CHECK(f.asked == Asked{{1, 1}});
  f.fetches.tick(kStart + limits::kAnswerFetchTime);
  f.fetches.tick(kStart + 2 * limits::kAnswerFetchTime);
  run_for(f.loop, 1ms);
  CHECK(f.asked == Asked{{1, 1}, {1, 1}, {3, 1}});
  f.says(1, 2, "right");
  CHECK(f.done == std::vector<std::string>{"right"});
}

TEST_CASE("answer fetches: donors that forgot it are done with; what is over is forgotten") {
  Fetching f;
  f.want(2, {1, 3});
  f.want(4, {1, 3});
  f.fetches.heard(1, {{0, 7, 2}, std::nullopt, {}}, kStart);
  f.fetches.heard(3, {{0, 7, 2}, std::nullopt, {}}, kStart);
  CHECK(f.done == std::vector<std::string>{"nothing"});
  f.fetches.forget({0, 7, 4});
  f.says(1, 4, "right");
  CHECK(f.done.size() == 1);
}

}  // namespace
}  // namespace zap
