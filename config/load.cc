#include "config/load.h"

#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <sstream>

#include "config/file.h"
#include "config/load_parts.h"
#include "config/names.h"

namespace zap::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::uint64_t kMegabyte = 1'000'000;
constexpr std::uint64_t kGigabyte = 1'000'000'000;

bool is_wildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

bool same_place(const Address& a, const Address& b) {
  if (a.is_unix() || b.is_unix()) return a == b;
  return a.port == b.port && (a.host == b.host || is_wildcard(a.host) || is_wildcard(b.host));
}

void tcp_only(const Section& section, const char* key, const Address& address, Problems& problems) {
  if (!address.is_unix()) return;
  problems.add(section.where(key), section.full_name(key) + " is a Unix socket",
               "this one must be host:port");
}

void load_peer(Section& section, Config& config, Claims& claims) {
  Peer& peer = config.peer;
  if (section.address("listen", peer.listen, Presence::kRequired)) {
    tcp_only(section, "listen", peer.listen, section.problems());
    claims.listen(peer.listen, "peer.listen", section.where("listen"), section.problems());
  }
  read_path(section, "certificate", config, peer.certificate, Presence::kRequired);
  read_path(section, "private_key", config, peer.private_key, Presence::kRequired);
  read_path(section, "authority", config, peer.authority, Presence::kRequired);
  check_credentials(section, config);
}

void load_wal(Section& section, Config& config) {
  read_path(section, "path", config, config.wal.path);
  section.choice<SyncMode>(
      "sync_mode", config.wal.sync_mode,
      {{"always", SyncMode::kAlways}, {"batch", SyncMode::kBatch}, {"never", SyncMode::kNever}});
  section.bytes("max_size", config.wal.max_size, kMegabyte, 100 * kGigabyte);
  std::uint64_t keep = 0;
  if (section.number("keep", keep, 0, 1'000'000'000'000)) config.wal.keep = keep;
}

void load_snapshot(Section& section, Config& config) {
  read_path(section, "path", config, config.snapshot.path);
  section.number("interval", config.snapshot.interval, 1, 1'000'000'000'000);
  std::uint64_t retain = config.snapshot.retain;
  section.number("retain", retain, 1, 1000);
  config.snapshot.retain = static_cast<std::uint32_t>(retain);
}

void load_idempotency(Section& section, Config& config) {
  section.duration("keep", config.idempotency.keep, milliseconds(1), hours(24 * 366));
  section.number("entries", config.idempotency.entries, 1, 100'000'000);
  section.bytes("bytes", config.idempotency.bytes, kMegabyte, 100 * kGigabyte);
}

void load_admin(Section& section, Config& config, Claims& claims) {
  if (section.address("address", config.admin.address)) {
    tcp_only(section, "address", config.admin.address, section.problems());
  }
  claims.listen(config.admin.address, "admin.address", section.where("address"),
                section.problems());
  read_path(section, "token_file", config, config.admin.token_file);
}

void load_limits(Section& section, Config& config) {
  Limits& limits = config.limits;
  section.bytes("request_bytes", limits.request_bytes, 1000, 15 * kMegabyte);
  section.bytes("response_bytes", limits.response_bytes, 1000, 64 * kMegabyte);
  std::uint64_t connections = limits.connections;
  section.number("connections", connections, 1, 1'000'000);
  limits.connections = static_cast<std::uint32_t>(connections);
  if (section.bytes("queue_bytes", limits.queue_bytes, 1000, 100 * kGigabyte) &&
      limits.queue_bytes < limits.request_bytes) {
    section.problems().add(section.where("queue_bytes"),
                           "limits.queue_bytes is less than limits.request_bytes",
                           "a queue that holds not one request refuses all of them");
  }
  section.duration("request_timeout", limits.request_timeout, milliseconds(10), hours(1));
}

void load_logging(Section& section, Config& config) {
  section.choice<LogLevel>("level", config.logging.level,
                           {{"trace", LogLevel::kTrace},
                            {"debug", LogLevel::kDebug},
                            {"info", LogLevel::kInfo},
                            {"warning", LogLevel::kWarning},
                            {"error", LogLevel::kError}});
  section.choice<LogFormat>("format", config.logging.format,
                            {{"text", LogFormat::kText}, {"json", LogFormat::kJson}});
}

void load_cluster(Section& top, Config& config) {
  if (!top.text("cluster", config.cluster, Presence::kRequired)) return;
  check_name(top, "cluster", config.cluster, top.problems());
}

void load_node_id(Section& top, Config& config) {
  if (!top.text("node_id", config.node_id, Presence::kRequired)) return;
  if (!check_name(top, "node_id", config.node_id, top.problems())) return;
  const auto& nodes = config.consensus.nodes;
  const auto self = std::find_if(nodes.begin(), nodes.end(), [&](const Member& member) {
    return member.name == config.node_id;
  });
  if (self != nodes.end()) {
    config.self = self->id;
  } else if (!nodes.empty()) {
    std::string known;
    for (const Member& member : nodes) known += (known.empty() ? "" : ", ") + member.name;
    top.problems().add(top.where("node_id"),
                       "node_id is '" + config.node_id + "', which is not among consensus.nodes",
                       "one of " + known);
  }
}

/// Hears of a document and keeps nothing of it.
struct Unheard : YAML::EventHandler {
  using Mark = YAML::Mark;
  using Anchor = YAML::anchor_t;
  using Style = YAML::EmitterStyle::value;

  void OnDocumentStart(const Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const Mark&, Anchor) override {}
  void OnAlias(const Mark&, Anchor) override {}
  void OnScalar(const Mark&, const std::string&, Anchor, const std::string&) override {}
  void OnSequenceStart(const Mark&, const std::string&, Anchor, Style) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const Mark&, const std::string&, Anchor, Style) override {}
  void OnMapEnd() override {}
};

/// Looks no further than the second: where a text begins with a comma, yaml-cpp finds empty
/// documents without end.
bool has_second_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Unheard document;
  return parser.HandleNextDocument(document) && parser.HandleNextDocument(document);
}

void load_top(Section& top, Config& config) {
  // Members first: node_id is looked up among them, and the certificate compared with them.
  load_cluster(top, config);
  top.section(
      "consensus", [&](Section& section) { load_consensus(section, config); }, Presence::kRequired);
  load_node_id(top, config);

  const Path folder = config.file.parent_path();
  config.wal.path = folder / config.node_id / "wal";
  config.snapshot.path = folder / config.node_id / "snapshots";
  config.admin.token_file = folder / (config.node_id + ".token");

  Claims claims;
  top.section(
      "peer", [&](Section& section) { load_peer(section, config, claims); }, Presence::kRequired);
  top.section("wal", [&](Section& section) { load_wal(section, config); });
  top.section("snapshot", [&](Section& section) { load_snapshot(section, config); });
  top.section("idempotency", [&](Section& section) { load_idempotency(section, config); });
  top.section("limits", [&](Section& section) { load_limits(section, config); });
  top.section("logging", [&](Section& section) { load_logging(section, config); });
  if (!top.section("admin", [&](Section& section) { load_admin(section, config, claims); })) {
    claims.listen(config.admin.address, "admin.address (the default)", top.where(), top.problems());
  }
  load_listeners(top, config, claims);
  claims.finish(top.problems());
  std::uint64_t workers = config.workers;
  top.number("workers", workers, 0, 64);
  config.workers = static_cast<std::uint32_t>(workers);
}

}  // namespace

void Claims::listen(const Address& address, std::string owner, Position where, Problems& problems) {
  if (const Claim* other = listener_at(address)) {
    problems.add(where,
                 owner + " is " + to_string(address) + ", where " + other->owner + " (line " +
                     std::to_string(other->where.line) + ") listens already",
                 "give each its own");
    return;
  }
  listeners_.push_back({address, std::move(owner), where});
}

void Claims::connect(const Address& address, std::string owner, Position where) {
  applications_.push_back({address, std::move(owner), where});
}

void Claims::finish(Problems& problems) const {
  for (const Claim& application : applications_) {
    const Claim* listener = listener_at(application.address);
    if (!listener) continue;
    problems.add(application.where,
                 application.owner + " is " + to_string(application.address) + ", where " +
                     listener->owner + " of this sidecar listens",
                 "the application listens at an address of its own");
  }
}

const Claims::Claim* Claims::listener_at(const Address& address) const {
  const auto found = std::find_if(listeners_.begin(), listeners_.end(), [&](const Claim& claim) {
    return same_place(claim.address, address);
  });
  return found == listeners_.end() ? nullptr : &*found;
}

bool read_path(Section& section, const char* key, const Config& config, Path& out,
               Presence presence) {
  std::string text;
  if (!section.text(key, text, presence)) return false;
  out = (config.file.parent_path() / text).lexically_normal();
  return true;
}

bool check_name(const Section& section, const char* key, const std::string& name,
                Problems& problems) {
  const bool good = is_name(name);
  if (!good) {
    problems.add(section.where(key), section.full_name(key) + " is '" + name + "'",
                 "up to 63 letters, digits, '-', '_' and '.'");
  }
  return good;
}

Result<Config> load(const std::filesystem::path& file) {
  auto contents = read_file(file);
  if (!contents) return contents.error();
  return parse(*contents, file);
}

Result<Config> parse(const std::string& text, const std::filesystem::path& file) {
  Config config;
  config.file = std::filesystem::absolute(file);
  Problems problems;
  try {
    const YAML::Node document = YAML::Load(text);
    if (!document.IsMap() || has_second_document(text)) {
      problems.add({}, "the file is not one YAML map",
                   "begin as `zap-sidecar init` does: cluster, node_id, peer, consensus, ...");
    } else {
      Section top(document, "", problems);
      load_top(top, config);
      top.finish();
    }
  } catch (const YAML::Exception& error) {
    problems.add({error.mark.line + 1, error.mark.column + 1}, "not YAML: " + error.msg,
                 "look at the indentation, quotes and brackets here and in the line before");
  }
  if (!problems.empty()) return Error{ErrorCode::kInvalid, problems.print(file.string())};
  return config;
}

}  // namespace zap::config
