// config/config.h - one node's configuration, as plain values.
//
// What load() (config/load.h) makes of a YAML file: every value checked, every default filled in,
// every path resolved against the file's folder. Never changes while the process runs; any thread
// may read it. The names are the file's own.

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/methods.h"
#include "core/address.h"
#include "core/ids.h"
#include "core/membership.h"
#include "core/operation.h"
#include "core/time.h"

namespace zap::config {

using Path = std::filesystem::path;

struct Peer {
  Address listen;    ///< peers only, mutual TLS 1.3
  Path certificate;  ///< PEM; names this node and its Ed25519 key
  Path private_key;  ///< PEM, PKCS#8; readable by its owner alone
  Path authority;    ///< PEM; the cluster's own certificate authority
};

enum class Protocol { kPbft, kZab };
enum class Replies {
  kQuorum,  ///< f + 1 applications gave the same answer
  kLocal,   ///< the local application's answer
};

struct Consensus {
  Protocol protocol = Protocol::kPbft;
  std::vector<Member> nodes;  ///< the first members, in the file's order, ids from 0
  std::optional<PublicKey> operator_key;
  Duration round_timeout = std::chrono::milliseconds(500);
  Duration election_timeout = std::chrono::seconds(2);
  std::size_t batch_size = 100;
  Duration batch_timeout = std::chrono::milliseconds(10);
  std::optional<NodeId> fixed_leader;  ///< leader_election: {fixed: node1}; none is `auto`
  Mode read_strategy = Mode::kLinearizable;
  Replies replies = Replies::kQuorum;  ///< kLocal is zab's default
};

enum class SyncMode {
  kAlways,  ///< before every vote
  kBatch,   ///< every 100 ms
  kNever,
};

struct Wal {
  Path path;
  SyncMode sync_mode = SyncMode::kAlways;
  std::uint64_t max_size = 100'000'000;  ///< bytes a segment
  std::optional<std::uint64_t> keep;     ///< calls kept below the application's applied index
};

struct Snapshot {
  Path path;
  std::uint64_t interval = 10'000;  ///< calls
  std::uint32_t retain = 3;
};

enum class ListenerProtocol { kHttp, kRedis, kCapnp, kCallback };

/// What a restart of the application leaves of its state.
enum class AppState { kMemory, kDurable };

/// How the application saves and restores its state: "GET /path" or a local command.
struct AppSnapshot {
  std::string save;
  std::string restore;
};

struct App {
  Address address;  ///< the application's identity: listeners naming the same one share its queue
  AppState state = AppState::kMemory;
  ListenerProtocol protocol = ListenerProtocol::kHttp;
  std::uint32_t connections = 4;             ///< 1: reads share the ordered connection
  std::optional<std::string> instance;       ///< "GET /_zap/instance": changes with a restart
  std::optional<std::string> applied_index;  ///< "GET /_zap/applied"
  std::optional<AppSnapshot> snapshot;
  std::optional<Path> schema;  ///< Cap'n Proto
};

struct Listener {
  std::string name;  ///< unique in the file, the same on all nodes
  Address address;
  ListenerProtocol protocol = ListenerProtocol::kHttp;
  App app;
  std::string idempotency_header = "Idempotency-Key";
  Unmatched unmatched = Unmatched::kClassify;
  std::vector<Method> methods;  ///< in the file's order; MethodTable (methods.h) resolves them
};

struct Admin {
  Address address{.host = "127.0.0.1", .port = 9901};
  Path token_file;  ///< what changes something must show its contents; <node_id>.token by default
};

struct Limits {
  std::uint64_t request_bytes = 1'000'000;
  std::uint64_t response_bytes = 1'000'000;
  std::uint32_t connections = 1024;        ///< clients, over all listeners
  std::uint64_t queue_bytes = 64'000'000;  ///< above it clients are told 429
  Duration request_timeout = std::chrono::seconds(10);
};

enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

struct Logging {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
};

struct Config {
  Path file;  ///< where it was read from
  ClusterId cluster;
  std::string node_id;
  NodeId self = 0;  ///< node_id's place in consensus.nodes
  Peer peer;
  Consensus consensus;
  Wal wal;
  Snapshot snapshot;
  KeyLimits idempotency;
  std::vector<Listener> listeners;
  Admin admin;
  Limits limits;
  Logging logging;
  std::uint32_t workers = 0;  ///< loops for clients; 0: they share the main loop

  /// The members of epoch 0.
  Membership first_membership() const { return {.epoch = 0, .members = consensus.nodes}; }
};

}  // namespace zap::config
