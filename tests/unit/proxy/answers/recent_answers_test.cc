#include "proxy/answers/recent_answers.h"

#include <catch2/catch.hpp>

using namespace zap;

namespace {

Call call(std::uint64_t number, NodeId origin = 0) {
  return Call(Operation{.id = {origin, 7, number}, .listener = "main", .method = "POST /"});
}
Reply reply(const std::string& text) { return {.payload = Bytes(text)}; }

}  // namespace

TEST_CASE("recent answers: found by the call's id, as they were") {
  RecentAnswers answers;
  answers.keep(call(1, 2), 5, reply("five"));
  const RecentAnswer* found = answers.find({2, 7, 1});
  REQUIRE(found);
  CHECK(found->index == 5);
  CHECK(found->listener == "main");
  CHECK(found->method == "POST /");
  CHECK(found->reply.payload == Bytes("five"));
  CHECK_FALSE(answers.find({2, 6, 1}));
  CHECK_FALSE(answers.find({1, 7, 1}));
  CHECK_FALSE(answers.find({}));
}

TEST_CASE("recent answers: the oldest go, by number and by bytes") {
  RecentAnswers answers(4, 100);
  for (std::uint64_t i = 1; i <= 6; ++i) answers.keep(call(i), i, reply("answer"));
  CHECK_FALSE(answers.find({0, 7, 2}));
  CHECK(answers.find({0, 7, 3}));
  answers.keep(call(7), 7, reply(std::string(90, 'x')));
  CHECK_FALSE(answers.find({0, 7, 5}));
  CHECK(answers.find({0, 7, 6}));
  CHECK(answers.find({0, 7, 7}));
  answers.keep(call(8), 8, reply(std::string(101, 'x')));  // larger than all of it
  CHECK_FALSE(answers.find({0, 7, 8}));
}

TEST_CASE("recent answers: none is left of an application that was wrong") {
  RecentAnswers answers;
  answers.keep(call(1), 1, reply("wrong"));
  answers.forget_all();
  CHECK_FALSE(answers.find({0, 7, 1}));
  answers.keep(call(1), 1, reply("right"));
  CHECK(answers.find({0, 7, 1})->reply.payload == Bytes("right"));
}
