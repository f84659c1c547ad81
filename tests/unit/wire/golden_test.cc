// Yesterday's bytes: what another version sent, and what an old log holds, must read the same.
//
// golden.txt has a line per kind: its name and one sample in hexadecimal. A kind that is new is
// added with ZAP_REWRITE_GOLDEN=1; a line that is there never changes.

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "consensus/wire/codec.h"
#include "tests/unit/wire/samples.h"

namespace zap::wire {
namespace {

using test::describe;
using test::Samples;

constexpr std::uint64_t kSeed = 2;
const auto kFile = std::filesystem::path(__FILE__).parent_path() / "golden.txt";

constexpr const char* kMessages[] = {
    "bundle",          "pre_prepare", "prepare", "commit",        "checkpoint", "stable_checkpoint",
    "view_change",     "new_view",    "status",  "fetch_batches", "batches",    "fetch_calls",
    "decided_digests", "shown"};
constexpr const char* kRecords[] = {
    "accepted_record", "prepared_record",          "decided_record", "view_change_record",
    "new_view_record", "stable_checkpoint_record", "founding_record"};
constexpr const char* kAnswers[] = {"replies",  "fetch_answers", "answers",
                                    "disputes", "app_state",     "read_answers"};
static_assert(std::size(kAnswers) == Samples::kAnswerKinds);
static_assert(std::size(kMessages) == Samples::kMessageKinds);
static_assert(std::size(kRecords) == Samples::kRecordKinds);

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Bytes unhex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return Bytes(bytes);
}

std::map<std::string, std::string> read_golden() {
  std::ifstream file(kFile);
  std::map<std::string, std::string> lines;
  for (std::string name, bytes; file >> name >> bytes;) lines[name] = bytes;
  return lines;
}

TEST_CASE("wire: the format has not changed") {
  std::map<std::string, Bytes> today;
  for (std::size_t kind = 0; kind < Samples::kMessageKinds; ++kind) {
    today[kMessages[kind]] = encode(Samples(kSeed).message(kind));
  }
  for (std::size_t kind = 0; kind < Samples::kRecordKinds; ++kind) {
    today[kRecords[kind]] = encode_record(Samples(kSeed).record(kind));
  }
  today["hello"] = encode(Samples(kSeed).hello());
  for (std::size_t kind = 0; kind < Samples::kAnswerKinds; ++kind) {
    today[kAnswers[kind]] = encode(Samples(kSeed).answer_message(kind));
  }
  today["ping"] = encode(Ping{});
  today["barrier"] = encode(Samples(kSeed).barrier());

  if (std::getenv("ZAP_REWRITE_GOLDEN")) {
    std::ofstream file(kFile);
    for (const auto& [name, bytes] : today) file << name << ' ' << hex(bytes.view()) << '\n';
  }
  const auto golden = read_golden();
  for (const auto& [name, bytes] : today) {
    INFO(name << " has no line in " << kFile << ", or its bytes have changed");
    const auto line = golden.find(name);
    REQUIRE(line != golden.end());
    CHECK(line->second == hex(bytes.view()));
  }
}

TEST_CASE("wire: old bytes read as what they were") {
  const auto golden = read_golden();
  for (std::size_t kind = 0; kind < Samples::kMessageKinds; ++kind) {
    const Result<PeerMessage> decoded = decode(unhex(golden.at(kMessages[kind])));
    REQUIRE(decoded);
    CHECK(describe(std::get<Message>(*decoded)) == describe(Samples(kSeed).message(kind)));
  }
  for (std::size_t kind = 0; kind < Samples::kAnswerKinds; ++kind) {
    const Result<PeerMessage> decoded = decode(unhex(golden.at(kAnswers[kind])));
    REQUIRE(decoded);
    CHECK(std::get<AnswerMessage>(*decoded) == Samples(kSeed).answer_message(kind));
  }
  for (std::size_t kind = 0; kind < Samples::kRecordKinds; ++kind) {
    const Result<Record> decoded = decode_record(unhex(golden.at(kRecords[kind])));
    REQUIRE(decoded);
    CHECK(describe(*decoded) == describe(Samples(kSeed).record(kind)));
  }
}

}  // namespace
}  // namespace zap::wire
