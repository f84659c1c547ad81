#include "config/load.h"

#include <catch2/catch.hpp>

#include "config/keys.h"
#include "tests/unit/config/fixture.h"

namespace zap::config {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("what init writes is read back, defaults filled in") {
  const GeneratedCluster cluster;
  const auto config = load(cluster.file());
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  CHECK(config->cluster.size() == 32);
  CHECK(config->node_id == "node1");
  CHECK(config->self == 0);
  CHECK(to_string(config->peer.listen) == "127.0.0.1:9001");
  CHECK(config->peer.private_key == cluster.folder() / "node1.key");
  CHECK(config->consensus.nodes.size() == 4);
  CHECK(config->consensus.nodes[3].name == "node4");
  CHECK(config->consensus.nodes[3].address == "127.0.0.1:9004");
  CHECK(config->consensus.operator_key);
  CHECK(config->consensus.round_timeout == milliseconds(500));
  CHECK(config->consensus.replies == Replies::kQuorum);
  CHECK(config->wal.path == cluster.folder() / "node1/wal");
  CHECK(config->wal.max_size == 100'000'000);
  CHECK(config->listeners.size() == 1);
  CHECK(to_string(config->listeners[0].app.address) == "127.0.0.1:5001");
  CHECK(config->admin.token_file == cluster.folder() / "node1.token");
  CHECK(config->limits.request_timeout == seconds(10));
}

TEST_CASE("every key of the file is understood") {
  const GeneratedCluster cluster;
  std::string text = cluster.with("  leader_election: auto\n",
                                  "  leader_election: {fixed: node2}\n  threshold: 3\n"
                                  "  replies: local\n");
  text.replace(text.find("    methods: []"), std::string::npos, R"(    idempotency_header: X-Once
    unmatched: reject
    methods:
      - {match: "POST /orders", mode: replicated, timeout: 3s, compare: status}
      - {match: "GET /orders/{id}", mode: read_only, ignore: ["$.at", "header:etag"]}
      - {match: "GET /catalog/**", mode: local, max_staleness: 5s}
      - {match: "/shop.Cart/Checkout", mode: leader}
admin: {address: 127.0.0.1:9999, token_file: secret}
idempotency: {keep: 1h, entries: 5, bytes: 1MiB}
limits: {request_bytes: 2MB, response_bytes: 3MB, connections: 7, queue_bytes: 4MB, request_timeout: 1m}
logging: {level: warning, format: json}
workers: 2
)");
  const auto config = cluster.parsed(text);
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  CHECK(config->consensus.fixed_leader == NodeId{1});
  CHECK(config->consensus.replies == Replies::kLocal);
  const Listener& listener = config->listeners[0];
  CHECK(listener.idempotency_header == "X-Once");
  CHECK(listener.unmatched == Unmatched::kReject);
  REQUIRE(listener.methods.size() == 4);
  CHECK(listener.methods[0].timeout == Duration(seconds(3)));
  CHECK(listener.methods[0].compare == Compare::kStatus);
  CHECK(listener.methods[1].mode == Mode::kLinearizable);
  CHECK(listener.methods[1].ignore == std::vector<std::string>{"$.at", "header:etag"});
  CHECK(listener.methods[2].max_staleness == Duration(seconds(5)));
  CHECK(config->admin.token_file == cluster.folder() / "secret");
  CHECK(config->idempotency.bytes == 1 << 20);
  CHECK(config->limits.queue_bytes == 4'000'000);
  CHECK(config->logging.format == LogFormat::kJson);
  CHECK(config->workers == 2);
}

TEST_CASE("each error has its place, what is wrong, and what would be right") {
  const GeneratedCluster cluster;
  struct Case {
    const char* before;
    const char* after;
    const char* problem;
  };
  const Case cases[] = {
      {"batch_size:", "batch_sise:",
       "18:3: unknown key 'consensus.batch_sise'; the nearest known key is 'batch_size'"},
      {"logging: {level", "loging: {level",
       "33:1: unknown key 'loging'; the nearest known key is 'logging'"},
      {"format: text", "qqqqqqq: 1",
       "33:24: unknown key 'logging.qqqqqqq'; known here: level, format"},
      {"node_id: node1\n", "node_id: node1\nnode_id: node1\n",
       "3:1: node_id is given twice, first in line 2; keep one of them"},
      {"round_timeout: 500ms", "round_timeout: 500",
       "16:18: consensus.round_timeout is '500'; write a whole number and one of the units us, ms, "
       "s, m, h, as in 500ms"},
      {"round_timeout: 500ms", "round_timeout: 1ms",
       "16:18: consensus.round_timeout is '1ms'; from 10ms to 10m"},
      {"max_size: 100MB", "max_size: 100Mb",
       "22:53: wal.max_size is '100Mb'; write a whole number and one of the units B, kB, MB, GB, "
       "KiB, MiB, GiB, as in 100MB"},
      {"batch_size: 100", "batch_size: many",
       "18:15: consensus.batch_size is 'many'; write a whole number from 1 to 4096"},
      {"sync_mode: always", "sync_mode: sometimes",
       "22:35: wal.sync_mode is 'sometimes'; write always, batch or never"},
      {"batch_timeout: 10ms", "batch_timeout: 1s",
       "19:18: consensus.batch_timeout is not below consensus.round_timeout; a batch that waits so "
       "long has its leader voted out"},
      {"batch_size: 100", "threshold: 2",
       "18:14: consensus.threshold is 2, but a quorum of 4 nodes is 3; leave it out, or write 3"},
      {"leader_election: auto", "leader_election: {fixed: node9}",
       "20:28: consensus.leader_election.fixed is 'node9'; the id of one of consensus.nodes"},
      {"{id: node2,", "{id: node3,",
       "13:12: consensus.nodes[2].id is 'node3', as that of node 2 in the list is; every node has "
       "its own"},
      {"listen: \"127.0.0.1:9001\"", "listen: \"127.0.0.1:9901\"",
       "32:18: admin.address is 127.0.0.1:9901, where peer.listen (line 4) listens already; give "
       "each its own"},
      {"listen: \"127.0.0.1:9001\"", "listen: 9001",
       "4:11: peer.listen: '9001' is not an address: it names no port; write host:port or "
       "unix:/path"},
      {"listen: \"127.0.0.1:9001\"", "listen: \"unix:/tmp/a\"",
       "4:11: peer.listen is a Unix socket; this one must be host:port"},
      {"address: \"127.0.0.1:5001\"", "address: \"127.0.0.1:8081\"",
       "29:16: listeners[0].app.address is 127.0.0.1:8081, where listeners[0].address of this "
       "sidecar listens; the application listens at an address of its own"},
      {"      state: memory\n", "",
       "29:7: listeners[0].app.state is missing; write state: memory (a restart of the application "
       "leaves it empty) or state: durable (it keeps its state)"},
      {"methods: []",
       "methods: [{match: \"GET /a/{x}\", mode: local}, {match: \"GET /a/{y}\", mode: "
       "local}]",
       "31:59: 'GET /a/{y}' and 'GET /a/{x}' (line 31) match the same calls, neither more "
       "specifically; keep one of them"},
      {"methods: []", "methods: [{match: SET, mode: replicated}]",
       "31:23: listeners[0].methods[0].match is 'SET'; write \"METHOD /path\", or "
       "\"/package.Service/Method\" for gRPC"},
      {"methods: []", "methods: [{match: \"GET /a\", mode: linearizable, max_staleness: 5s}]",
       "31:68: listeners[0].methods[0].max_staleness is given, but the mode is not local; only a "
       "local read can be stale"},
      {"methods: []", "methods: {}",
       "31:14: listeners[0].methods is a map; a list of maps belongs here"},
      {"peer:\n", "peers:\n",
       "1:1: peer is missing; it must be given\n"
       "node1.yaml:3:1: unknown key 'peers'; the nearest known key is 'peer'"},
      {"wal: {path", "wal: 1 #", "22:6: wal is a single value; a map of keys belongs here"},
  };
  for (const Case& each : cases) {
    const std::string problems = cluster.problems(cluster.with(each.before, each.after));
    INFO(each.after);
    CHECK(problems == "node1.yaml:" + std::string(each.problem));
  }
}

TEST_CASE("a public key that is none is shown") {
  const GeneratedCluster cluster;
  const std::string key = to_string(load(cluster.file())->consensus.nodes[1].public_key);
  CHECK(cluster.problems(cluster.with(key, "ed25519:AAAA")) ==
        "node1.yaml:12:58: consensus.nodes[1].public_key is 'ed25519:AAAA'; write \"ed25519:\" and "
        "the 32 bytes in base64, 44 characters");
}

TEST_CASE("all errors of a file come at once, in its order") {
  const GeneratedCluster cluster;
  std::string text = cluster.with("batch_size: 100", "batch_size: 0");
  text += "unheard_of: 1\n";
  text.erase(text.find("node_id: node1\n"), 15);
  CHECK(cluster.problems(text) ==
        "node1.yaml:1:1: node_id is missing; it must be given\n"
        "node1.yaml:4:16: peer.certificate was made for 'node1', and node_id is ''; each node has "
        "its own\n"
        "node1.yaml:17:15: consensus.batch_size is '0'; write a whole number from 1 to 4096\n"
        "node1.yaml:33:1: unknown key 'unheard_of'; known here: cluster, consensus, node_id, peer, "
        "wal, snapshot, idempotency, limits, logging, admin, listeners, workers");
}

TEST_CASE("too few nodes for pbft: why, and what to use instead") {
  const GeneratedCluster cluster;
  std::string text = cluster.text();
  const std::size_t last = text.find("    - {id: node4");
  text.erase(last, text.find('\n', last) + 1 - last);
  CHECK(
      cluster.problems(text) ==
      "node1.yaml:11:5: consensus.nodes has 3 nodes, and pbft needs 4 or more: to survive f nodes "
      "that lie it takes 3f+1; add nodes, or use protocol: zab, which survives crashes only and "
      "for which 3, 5 and 7 nodes are right");
  text.replace(text.find("protocol: pbft"), 14, "protocol: zab");
  CHECK(cluster.problems(text).empty());
}

TEST_CASE("zab takes 3, 5 or 7 nodes, and answers with the local reply by default") {
  CHECK(cluster_error({.nodes = 4, .protocol = Protocol::kZab}) ==
        "4 nodes under zab; 3, 5 or 7 are right");
  const GeneratedCluster cluster({.nodes = 5, .protocol = Protocol::kZab});
  CHECK(load(cluster.file())->consensus.replies == Replies::kLocal);
}

TEST_CASE("a node that is not a member, a key of another, a key that others can read") {
  const GeneratedCluster cluster;
  CHECK(cluster.problems(cluster.with("node_id: node1", "node_id: node7")) ==
        "node1.yaml:2:10: node_id is 'node7', which is not among consensus.nodes; one of node1, "
        "node2, node3, node4\n"
        "node1.yaml:5:16: peer.certificate was made for 'node1', and node_id is 'node7'; each node "
        "has its own");

  const auto config = load(cluster.file());
  const std::string foreign = cluster.problems(cluster.with("node1.key", "node2.key"));
  CHECK(
      foreign ==
      "node1.yaml:6:16: peer.private_key is not the key that consensus.nodes has for node1; there "
      "it is " +
          to_string(config->consensus.nodes[0].public_key) + ", the file's is " +
          to_string(config->consensus.nodes[1].public_key));

  using std::filesystem::perms;
  std::filesystem::permissions(cluster.folder() / "node1.key", perms::group_read,
                               std::filesystem::perm_options::add);
  CHECK(cluster.problems(cluster.text()) ==
        "node1.yaml:6:16: peer.private_key: node1.key can be read by others; chmod 600 node1.key");
}

TEST_CASE("certificates: absent, unreadable, of another authority") {
  const GeneratedCluster cluster;
  CHECK(
      cluster.problems(cluster.with("node1.crt", "none.crt")) ==
      "node1.yaml:5:16: peer.certificate: cannot read none.crt: No such file or directory; make a "
      "fresh one where cluster/operator is: zap-sidecar init --renew node1");
  CHECK(cluster.problems(cluster.with("node1.crt", "node1.key")) ==
        "node1.yaml:5:16: peer.certificate: node1.key holds no certificate in PEM, as `zap-sidecar "
        "init` writes; make a fresh one where cluster/operator is: zap-sidecar init --renew node1");
  const GeneratedCluster other;
  CHECK(cluster.problems(
            cluster.with("cluster-ca.crt", (other.folder() / "cluster-ca.crt").string())) ==
        "node1.yaml:7:14: peer.authority: node1.crt was not signed by " +
            (other.folder() / "cluster-ca.crt").string() +
            "; the cluster-ca.crt that `zap-sidecar init` wrote beside the certificate");
}

TEST_CASE("what is not YAML, or not one map, says where") {
  const GeneratedCluster cluster;
  CHECK(cluster.problems("a: [1\n").substr(0, 17) == "node1.yaml:2:1: n");
  // yaml-cpp finds documents without end in what begins with a comma.
  for (const char* text : {"", "- a\n", "just text", "a: 1\n---\nb: 2\n", ",", ", a: 1\n"}) {
    CHECK(
        cluster.problems(text) ==
        "node1.yaml:1:1: the file is not one YAML map; begin as `zap-sidecar init` does: cluster, "
        "node_id, peer, consensus, ...");
  }
}

TEST_CASE("listeners of one application agree on it") {
  const GeneratedCluster cluster;
  const std::string second =
      "    methods: []\n  - {name: other, address: 127.0.0.1:8091, protocol: http, app: {address: "
      "127.0.0.1:5001, state: durable}}\n#";
  CHECK(cluster.problems(cluster.with("    methods: []", second)) ==
        "node1.yaml:32:65: listeners[1].app and that of listener 'main' are one application, "
        "127.0.0.1:5001, with another state or protocol; write the same in both");
}

}  // namespace zap::config
