// The consensus section: who the members are, what a quorum of them is, and the timers.

#include <algorithm>

#include "config/keys.h"
#include "config/load_parts.h"

namespace zap::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::uint64_t kNodesMax = 64;

void load_key(Section& section, const char* key, Presence presence, PublicKey& out) {
  std::string text;
  if (!section.text(key, text, presence)) return;
  const auto parsed = parse_public_key(text);
  if (parsed) {
    out = *parsed;
    return;
  }
  section.problems().add(section.where(key), section.full_name(key) + " is '" + text + "'",
                         "write \"ed25519:\" and the 32 bytes in base64, 44 characters");
}

void load_node(Section& section, std::vector<Member>& nodes) {
  Problems& problems = section.problems();
  Member node{.id = static_cast<NodeId>(nodes.size())};
  const auto taken = [&](const char* key, const std::string& value, const Member& other) {
    problems.add(section.where(key),
                 section.full_name(key) + " is '" + value + "', as that of node " +
                     std::to_string(other.id + 1) + " in the list is",
                 "every node has its own");
  };
  if (section.text("id", node.name, Presence::kRequired)) {
    check_name(section, "id", node.name, problems);
  }
  Address address;
  if (section.address("address", address, Presence::kRequired)) {
    node.address = to_string(address);
    if (address.is_unix()) {
      problems.add(section.where("address"), section.full_name("address") + " is a Unix socket",
                   "peers reach each other at host:port");
    }
  }
  load_key(section, "public_key", Presence::kRequired, node.public_key);

  for (const Member& other : nodes) {
    if (!node.name.empty() && node.name == other.name) taken("id", node.name, other);
    if (!node.address.empty() && node.address == other.address) {
      taken("address", node.address, other);
    }
    if (node.public_key != PublicKey{} && node.public_key == other.public_key) {
      taken("public_key", to_string(node.public_key), other);
    }
  }
  nodes.push_back(std::move(node));
}

std::uint64_t quorum_of(Protocol protocol, std::uint64_t n) {
  return protocol == Protocol::kZab ? n / 2 + 1 : Quorum{static_cast<std::uint32_t>(n)}.size();
}

void check_size(const Section& section, Protocol protocol, std::uint64_t n, Problems& problems) {
  const Position where = section.where("nodes");
  const std::string count = "consensus.nodes has " + std::to_string(n) + " nodes";
  if (n > kNodesMax) {
    problems.add(where, count, "at most " + std::to_string(kNodesMax));
  } else if (protocol == Protocol::kPbft && n < 4) {
    problems.add(where,
                 count + ", and pbft needs 4 or more: to survive f nodes that lie it takes 3f+1",
                 "add nodes, or use protocol: zab, which survives crashes only and for which 3, 5 "
                 "and 7 nodes are right");
  } else if (protocol == Protocol::kZab && n != 3 && n != 5 && n != 7) {
    problems.add(where, count + " under zab",
                 "3, 5 or 7: a majority of an even number survives no more crashes than of one "
                 "node less");
  }
}

void check_threshold(Section& section, Protocol protocol, std::uint64_t n) {
  std::uint64_t threshold = 0;
  if (!section.number("threshold", threshold, 1, kNodesMax) || n == 0 || n > kNodesMax) return;
  const std::uint64_t quorum = quorum_of(protocol, n);
  if (threshold == quorum) return;
  section.problems().add(section.where("threshold"),
                         "consensus.threshold is " + std::to_string(threshold) +
                             ", but a quorum of " + std::to_string(n) + " nodes is " +
                             std::to_string(quorum),
                         "leave it out, or write " + std::to_string(quorum));
}

void load_leader_election(Section& section, Consensus& consensus) {
  if (!section.is_map("leader_election")) {
    bool automatic = true;
    section.choice<bool>("leader_election", automatic, {{"auto", true}});
    return;
  }
  section.section("leader_election", [&](Section& below) {
    std::string name;
    if (!below.text("fixed", name, Presence::kRequired)) return;
    const auto found = std::find_if(consensus.nodes.begin(), consensus.nodes.end(),
                                    [&](const Member& member) { return member.name == name; });
    if (found != consensus.nodes.end()) {
      consensus.fixed_leader = found->id;
    } else {
      below.problems().add(below.where("fixed"),
                           "consensus.leader_election.fixed is '" + name + "'",
                           "the id of one of consensus.nodes");
    }
  });
}

void load_timers(Section& section, Consensus& consensus) {
  section.duration("round_timeout", consensus.round_timeout, milliseconds(10), minutes(10));
  section.duration("election_timeout", consensus.election_timeout, milliseconds(10), minutes(10));
  section.duration("batch_timeout", consensus.batch_timeout, Duration::zero(), minutes(1));
  if (consensus.batch_timeout >= consensus.round_timeout) {
    section.problems().add(section.where("batch_timeout"),
                           "consensus.batch_timeout is not below consensus.round_timeout",
                           "a batch that waits so long has its leader voted out");
  }
}

}  // namespace

void load_consensus(Section& section, Config& config) {
  Consensus& consensus = config.consensus;
  section.choice<Protocol>("protocol", consensus.protocol,
                           {{"pbft", Protocol::kPbft}, {"zab", Protocol::kZab}});
  if (consensus.protocol == Protocol::kZab) consensus.replies = Replies::kLocal;

  const std::size_t n = section.sections(
      "nodes", [&](Section& node) { load_node(node, consensus.nodes); }, Presence::kRequired);
  if (section.has("nodes")) check_size(section, consensus.protocol, n, section.problems());
  check_threshold(section, consensus.protocol, n);

  PublicKey operator_key;
  load_key(section, "operator_key", Presence::kOptional, operator_key);
  if (operator_key != PublicKey{}) consensus.operator_key = operator_key;

  load_timers(section, consensus);
  std::uint64_t batch_size = consensus.batch_size;
  section.number("batch_size", batch_size, 1, 4096);
  consensus.batch_size = batch_size;

  load_leader_election(section, consensus);
  section.choice<Mode>(
      "read_strategy", consensus.read_strategy,
      {{"linearizable", Mode::kLinearizable}, {"leader", Mode::kLeader}, {"local", Mode::kLocal}});
  section.choice<Replies>("replies", consensus.replies,
                          {{"quorum", Replies::kQuorum}, {"local", Replies::kLocal}});
}

}  // namespace zap::config
