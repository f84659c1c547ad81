#include "config/caveats.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "config/certificates.h"
#include "tests/unit/config/fixture.h"

namespace zap::config {
namespace {

constexpr WallTime kDay = 86'400'000'000'000;

bool says(const Config& config, WallTime now, const std::string& words) {
  const auto sentences = caveats(config, now);
  return std::any_of(sentences.begin(), sentences.end(), [&](const std::string& sentence) {
    return sentence.find(words) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("five and six nodes survive no more liars than four") {
  for (const std::uint32_t n : {4U, 5U, 6U, 7U}) {
    const GeneratedCluster cluster({.nodes = n});
    const Config config = *load(cluster.file());
    CHECK(says(config, 0, "nodes survive no more liars than 4: 1.") == (n == 5 || n == 6));
  }
}

TEST_CASE("what a configuration gives up is said") {
  const GeneratedCluster cluster;
  const auto with = [&](const std::string& before, const std::string& after) {
    const auto config = cluster.parsed(cluster.with(before, after));
    INFO((config ? "" : config.error().message));
    REQUIRE(config);
    return *config;
  };
  CHECK(says(with("sync_mode: always", "sync_mode: batch"), 0, "the last 100 ms"));
  CHECK(says(with("batch_size: 100", "replies: local"), 0, "the word of one application"));
  CHECK(says(with("state: memory", "state: durable"), 0, "at least once, not exactly once"));
  CHECK(says(with("state: memory", "state: durable"), 0, "stays in quarantine"));
  CHECK(says(*load(cluster.file()), 0, "unless the sidecar starts it"));
  CHECK_FALSE(says(with("state: memory", "state: memory\n      applied_index: \"GET /i\""), 0,
                   "at least once"));
  CHECK(says(with("\"127.0.0.1:5001\"", "db:5001"), 0, "--app-is kept"));
  CHECK_FALSE(says(with("\"127.0.0.1:5001\"\n      state: memory",
                        "db:5001\n      state: memory\n      instance: \"GET /i\""),
                   0, "cannot be noticed"));
  CHECK(
      says(with("methods: []", "methods: [{match: \"POST /a\", mode: replicated, compare: none}]"),
           0, "nothing of its answers"));
  CHECK(says(with("\"127.0.0.1:8081\"", "0.0.0.0:8081"), 0, "in the clear"));
  CHECK(says(with("state: memory",
                  "state: memory\n      snapshot: {save: \"GET /s\", restore: \"PUT /s\"}"),
             0, "app.snapshot, which this version does not use yet"));
  CHECK(says(with("methods: []", "methods: [{match: \"GET /a\", mode: local}]"), 0,
             "nothing bounds how old"));
  CHECK(says(with("methods: []", "methods: [{match: \"GET /a\", mode: leader}]"), 0,
             "stale or false if the leader lies"));
}

TEST_CASE("files that others can change are named") {
  const GeneratedCluster cluster;
  const Config config = *load(cluster.file());
  CHECK_FALSE(says(config, 0, "can be changed by others"));
  std::filesystem::permissions(cluster.file(), std::filesystem::perms(0666));
  CHECK(says(config, 0, "node1.yaml can be changed by others"));
}

TEST_CASE("a certificate that soon expires is mentioned a month ahead") {
  const GeneratedCluster cluster;
  const Config config = *load(cluster.file());
  const WallTime end = load_certificate(config.peer.certificate)->not_after;
  CHECK_FALSE(says(config, end - 31 * kDay, "expires"));
  CHECK(says(config, end - 29 * kDay, "peer.certificate expires in 29 days"));
}

}  // namespace zap::config
