#include "proxy/answers/kept_answers.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/unit/proxy/scratch_folder.h"

namespace zap {
namespace {

Digest digest(std::string_view text) { return Hasher("test").add(text).finish(); }
Reply reply(const char* text) { return {text, digest(text)}; }
const Digest kKey = digest("key");

std::string text(const Reply* reply) { return reply ? std::string(reply->payload.view()) : "none"; }

}  // namespace

TEST_CASE("kept answers: the first answer to a call stays the answer") {
  KeptAnswers kept(10);
  kept.keep(1, kKey, reply("first"));
  kept.keep(1, kKey, reply("second"));
  CHECK(text(kept.find(1, kKey)) == "first");
  CHECK(text(kept.find(2, kKey)) == "none");
}

TEST_CASE("kept answers: an index that went to another call has that one's answer") {
  KeptAnswers kept(10);
  kept.keep(1, kKey, reply("lost"));
  CHECK(text(kept.find(1, digest("other"))) == "none");
  kept.keep(1, digest("other"), reply("new"));
  CHECK(text(kept.find(1, digest("other"))) == "new");
  CHECK(text(kept.find(1, kKey)) == "none");
}

TEST_CASE("kept answers: the oldest make room, by number and by bytes") {
  KeptAnswers few(2);
  for (const Index index : {1, 2, 3}) few.keep(index, kKey, reply("x"));
  CHECK(text(few.find(1, kKey)) == "none");
  CHECK(text(few.find(3, kKey)) == "x");
  KeptAnswers small(10, 5);
  for (const Index index : {1, 2, 3}) small.keep(index, kKey, reply("xx"));
  CHECK(text(small.find(1, kKey)) == "none");
  CHECK(text(small.find(2, kKey)) == "xx");
}

TEST_CASE("kept answers: they outlive the process, but for what was wrong or torn") {
  const ScratchFolder folder;
  const auto file = folder / "answers";
  {
    KeptAnswers kept(10);
    REQUIRE(kept.open(file));
    for (const Index index : {1, 2, 3}) kept.keep(index, kKey, reply("x"));
    kept.forget_from(3);
    kept.keep(4, kKey, reply("four"));
  }
  std::ofstream(file, std::ios::app | std::ios::binary) << "half of an ans";
  for (int run = 0; run < 2; ++run) {
    KeptAnswers kept(10);
    REQUIRE(kept.open(file));
    CHECK(text(kept.find(2, kKey)) == "x");
    CHECK(text(kept.find(3, kKey)) == "none");
    REQUIRE(kept.find(4, kKey));
    CHECK(kept.find(4, kKey)->compared == digest("four"));
  }
}

TEST_CASE("kept answers: a flipped bit ends what is read, and is never an answer") {
  const ScratchFolder folder;
  const auto file = folder / "answers";
  {
    KeptAnswers kept(10);
    REQUIRE(kept.open(file));
    for (const Index index : {1, 2}) kept.keep(index, kKey, reply("x"));
  }
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(-1, std::ios::end);
  bytes.put('y');
  bytes.close();
  KeptAnswers kept(10);
  REQUIRE(kept.open(file));
  CHECK(text(kept.find(1, kKey)) == "x");
  CHECK(text(kept.find(2, kKey)) == "none");
}

TEST_CASE("kept answers: the format has not changed") {
  const ScratchFolder folder;
  const auto file = folder / "answers";
  {
    KeptAnswers kept(10);
    REQUIRE(kept.open(file));
    kept.keep(258, {}, {"ok", {}});
  }
  std::ifstream written(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(written), {}};
  REQUIRE(bytes.size() == 8 + 80 + 2);
  CHECK(bytes.substr(0, 8) == "ZAPANS01");
  CHECK(bytes.substr(8, 8) == std::string("\x02\x01\0\0\0\0\0\0", 8));
  CHECK(bytes.substr(16, 64) == std::string(64, '\0'));
  CHECK(bytes.substr(80, 4) == std::string("\x02\0\0\0", 4));
  CHECK(bytes.substr(88) == "ok");
}

}  // namespace zap
