#include "proxy/log/evidence.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "consensus/wire/codec.h"
#include "core/limits.h"
#include "tests/unit/proxy/scratch_folder.h"

namespace zap {
namespace {

using nlohmann::json;

Membership four() {
  Membership membership;
  for (NodeId id = 0; id < 4; ++id) {
    membership.members.push_back({.id = id, .name = "node" + std::to_string(id + 1)});
  }
  return membership;
}

Notice two_prepares(NodeId node, Seq seq) {
  pbft::Prepare one{.seq = seq}, other{.seq = seq};
  one.digest.bytes[0] = 1;
  return {.kind = Notice::Kind::kEquivocation,
          .seq = seq,
          .node = node,
          .text = "voted for two batches in one slot",
          .evidence = {one, other}};
}

Bytes unhex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return Bytes(bytes);
}

TEST_CASE("evidence: what was signed is kept once, across restarts, and can be read back") {
  ScratchFolder folder;
  {
    Evidence evidence(folder / "", four());
    CHECK(evidence.json() == "[]\n");
    CHECK(evidence.keep(two_prepares(1, 7), 42).value());
    CHECK_FALSE(evidence.keep(two_prepares(1, 7), 43).value());
    CHECK(evidence.keep(two_prepares(1, 8), 44).value());
  }
  std::ofstream(folder / "evidence.jsonl", std::ios::app) << R"({"node_id":"node3","what":"cut sh)";
  Evidence evidence(folder / "", four());
  CHECK_FALSE(evidence.keep(two_prepares(1, 7), 45).value());
  CHECK(evidence.keep(two_prepares(2, 7), 46).value());
  CHECK(evidence.count("node2") == 2);
  CHECK(evidence.count("node3") == 1);
  CHECK(evidence.sentences().size() == 2);

  const json all = json::parse(evidence.json());
  REQUIRE(all.size() == 3);
  CHECK(all[0]["node_id"] == "node2");
  CHECK(all[0]["slot"] == 7);
  REQUIRE(all[0]["signed"].size() == 2);
  const Result<wire::PeerMessage> first = wire::decode(unhex(all[0]["signed"][0]));
  REQUIRE(first);
  CHECK(std::get<pbft::Prepare>(std::get<Message>(*first)).digest.bytes[0] == 1);
}

TEST_CASE("evidence: a liar fills no disk") {
  ScratchFolder folder;
  Evidence evidence(folder / "", four());
  for (Seq seq = 1; seq <= 100; ++seq) CHECK(evidence.keep(two_prepares(1, seq), 1));
  CHECK(evidence.count("node2") == limits::kEvidencePerMember);
  CHECK(json::parse(evidence.json()).size() == limits::kEvidencePerMember);
}

TEST_CASE("evidence: where it cannot be kept, that is said") {
  Evidence evidence("/nonexistent", four());
  CHECK(evidence.keep(two_prepares(1, 7), 1).error().code == ErrorCode::kIo);
}

}  // namespace
}  // namespace zap
