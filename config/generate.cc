#include "config/generate.h"

#include <sys/stat.h>

#include <algorithm>
#include <sstream>

#include "config/certificates.h"
#include "config/file.h"
#include "config/keys.h"
#include "config/names.h"

namespace zap::config {
namespace {

constexpr const char* kThisMachine = "127.0.0.1";
constexpr std::size_t kClusterIdBytes = 16;
constexpr std::size_t kTokenBytes = 32;
constexpr mode_t kSecret = 0600;
constexpr mode_t kPublic = 0644;

/// One node to be, all that its files say.
struct Node {
  std::string id;
  std::string host;
  PrivateKey key;
  std::uint16_t client_port = 0;
  std::uint16_t peer_port = 0;
  std::uint16_t admin_port = 0;
  Address app;

  std::string peer_address() const { return to_string(Address{host, peer_port, {}}); }
};

struct NewFile {
  Path path;
  std::string contents;
  mode_t mode;
};

const char* name_of(ListenerProtocol protocol) {
  switch (protocol) {
    case ListenerProtocol::kHttp:
      return "http";
    case ListenerProtocol::kRedis:
      return "redis";
    case ListenerProtocol::kCapnp:
      return "capnp";
    case ListenerProtocol::kCallback:
      return "callback";
  }
  return "";
}

Result<std::uint16_t> port_at(std::uint16_t first, std::size_t offset) {
  const std::size_t port = first + offset;
  if (first == 0 || port > 65535) {
    return Error{ErrorCode::kInvalid, "port " + std::to_string(first) + " plus " +
                                          std::to_string(offset) +
                                          " is no port; choose one from 1 to 65535"};
  }
  return static_cast<std::uint16_t>(port);
}

/// The nodes of a plan. On one host each takes the ports of the one before plus one.
Result<std::vector<Node>> lay_out(const ClusterPlan& plan) {
  std::vector<Node> nodes;
  for (std::uint32_t i = 0; i < plan.nodes; ++i) {
    Node node{.id = "node" + std::to_string(i + 1)};
    node.host = plan.hosts.empty() ? kThisMachine : plan.hosts[i];
    node.app = plan.app;
    const auto neighbours = static_cast<std::size_t>(std::count_if(
        nodes.begin(), nodes.end(), [&](const Node& other) { return other.host == node.host; }));
    if (node.app.is_unix() && neighbours > 0) {
      return Error{ErrorCode::kInvalid,
                   "several nodes on " + node.host + " cannot share " + to_string(plan.app) +
                       ": each needs an application of its own; use host:port"};
    }
    auto key = generate_private_key();
    if (!key) return key.error();
    node.key = *key;

    const auto set_port = [&](std::uint16_t first, std::uint16_t& port) -> Result<void> {
      const auto shifted = port_at(first, neighbours);
      if (!shifted) return shifted.error();
      port = *shifted;
      return {};
    };
    if (auto set = set_port(plan.base_port, node.client_port); !set) return set.error();
    if (auto set = set_port(plan.peer_port, node.peer_port); !set) return set.error();
    if (auto set = set_port(plan.admin_port, node.admin_port); !set) return set.error();
    if (!node.app.is_unix()) {
      if (auto set = set_port(plan.app.port, node.app.port); !set) return set.error();
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::string write_yaml(const ClusterPlan& plan, const ClusterId& cluster, const Node& self,
                       const std::vector<Node>& nodes, const PublicKey& operator_key) {
  std::ostringstream yaml;
  yaml << "cluster: \"" << cluster << "\"\n"
       << "node_id: " << self.id << "\n"
       << "peer:\n"
       << "  listen: \"" << self.peer_address() << "\"\n"
       << "  certificate: " << self.id << ".crt\n"
       << "  private_key: " << self.id << ".key\n"
       << "  authority: cluster-ca.crt\n"
       << "consensus:\n"
       << "  protocol: " << (plan.protocol == Protocol::kPbft ? "pbft" : "zab") << "\n"
       << "  nodes:\n";
  for (const Node& node : nodes) {
    yaml << "    - {id: " << node.id << ", address: \"" << node.peer_address()
         << "\", public_key: \"" << to_string(public_key_of(node.key)) << "\"}\n";
  }
  yaml << "  operator_key: \"" << to_string(operator_key) << "\"\n"
       << "  round_timeout: 500ms\n"
       << "  election_timeout: 2s\n"
       << "  batch_size: 100\n"
       << "  batch_timeout: 10ms\n"
       << "  leader_election: auto\n"
       << "  read_strategy: linearizable\n"
       << "wal: {path: " << self.id << "/wal, sync_mode: always, max_size: 100MB}\n"
       << "snapshot: {path: " << self.id << "/snapshots, interval: 10000, retain: 3}\n"
       << "listeners:\n"
       << "  - name: main\n"
       << "    address: \"" << to_string(Address{self.host, self.client_port, {}}) << "\"\n"
       << "    protocol: " << name_of(plan.listen) << "\n"
       << "    app:\n"
       << "      address: \"" << to_string(self.app) << "\"\n"
       << "      state: " << (plan.state == AppState::kMemory ? "memory" : "durable") << "\n"
       << "    methods: []  # such as {match: \"GET /catalog/**\", mode: local}\n"
       << "admin: {address: \"" << kThisMachine << ":" << self.admin_port << "\"}\n"
       << "logging: {level: info, format: text}\n";
  return yaml.str();
}

/// Looks at all of them before it writes the first.
Result<void> write_all(const std::vector<NewFile>& files) {
  for (const NewFile& file : files) {
    if (exists(std::filesystem::symlink_status(file.path))) {
      return Error{ErrorCode::kInvalid, file.path.string() +
                                            " is there already, and nothing is overwritten; choose "
                                            "another folder or remove it"};
    }
  }
  for (const NewFile& file : files) {
    if (auto written = write_new_file(file.path, file.contents, file.mode); !written) {
      return written;
    }
  }
  return {};
}

/// A link is not followed: what it names belongs to somebody else, perhaps.
Result<void> make_folder(const Path& folder, std::filesystem::perms permissions) {
  if (is_symlink(std::filesystem::symlink_status(folder))) {
    return Error{ErrorCode::kInvalid,
                 folder.string() + " is a symbolic link; keys are written to folders only"};
  }
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (!failed) std::filesystem::permissions(folder, permissions, failed);
  if (failed) {
    return Error{ErrorCode::kIo, "cannot make " + folder.string() + ": " + failed.message()};
  }
  return {};
}

Result<std::string> token_text() {
  auto token = random_hex(kTokenBytes);
  if (token) *token += '\n';
  return token;
}

struct Authority {
  PrivateKey key;
  std::string certificate;
};

Result<Authority> load_authority(const Path& folder) {
  auto key = load_private_key(folder / "operator" / "cluster-ca.key");
  if (!key) return key.error();
  auto certificate = read_file(folder / "cluster-ca.crt");
  if (!certificate) return certificate.error();
  return Authority{*key, std::move(*certificate)};
}

/// Key, certificate and token of one node.
Result<std::vector<NewFile>> credentials(const Path& folder, const Authority& authority,
                                         const std::string& node_id, const std::string& host,
                                         const PrivateKey& key) {
  if (!is_name(node_id)) {
    return Error{ErrorCode::kInvalid, "'" + node_id + "' is no node id; write up to 63 letters, " +
                                          "digits, '-', '_' and '.'"};
  }
  if (!is_host(host)) {
    return Error{ErrorCode::kInvalid,
                 "'" + host + "' is no host; write a host's name or its IP address"};
  }
  auto certificate = issue_certificate(authority.key, authority.certificate,
                                       {node_id, {host}, public_key_of(key)});
  if (!certificate) return certificate.error();
  auto token = token_text();
  if (!token) return token.error();
  return std::vector<NewFile>{{folder / (node_id + ".key"), to_pem(key), kSecret},
                              {folder / (node_id + ".crt"), *certificate, kPublic},
                              {folder / (node_id + ".token"), *token, kSecret}};
}

Result<void> check_size(const ClusterPlan& plan) {
  const bool zab = plan.protocol == Protocol::kZab;
  if (!zab && plan.nodes < 4) {
    return Error{ErrorCode::kInvalid,
                 std::to_string(plan.nodes) +
                     " nodes are too few for pbft: to survive f nodes that "
                     "lie it takes 3f+1, so 4 or more; --protocol zab is for 3, 5 or 7"};
  }
  if (zab && plan.nodes != 3 && plan.nodes != 5 && plan.nodes != 7) {
    return Error{ErrorCode::kInvalid,
                 std::to_string(plan.nodes) + " nodes under zab; 3, 5 or 7 are right"};
  }
  if (!plan.hosts.empty() && plan.hosts.size() != plan.nodes) {
    return Error{ErrorCode::kInvalid, std::to_string(plan.hosts.size()) + " hosts for " +
                                          std::to_string(plan.nodes) +
                                          " nodes; give one --host for each"};
  }
  return {};
}

}  // namespace

Result<std::vector<Path>> generate_cluster(const ClusterPlan& plan) {
  if (auto size = check_size(plan); !size) return size.error();
  auto nodes = lay_out(plan);
  if (!nodes) return nodes.error();
  auto cluster = random_hex(kClusterIdBytes);
  if (!cluster) return cluster.error();
  auto authority_key = generate_private_key();
  if (!authority_key) return authority_key.error();
  auto operator_key = generate_private_key();
  if (!operator_key) return operator_key.error();
  auto certificate = make_authority(*authority_key, *cluster);
  if (!certificate) return certificate.error();
  const Authority authority{*authority_key, *certificate};

  const Path operator_folder = plan.folder / "operator";
  std::vector<NewFile> files = {
      {plan.folder / "cluster-ca.crt", authority.certificate, kPublic},
      {operator_folder / "cluster-ca.key", to_pem(authority.key), kSecret},
      {operator_folder / "operator.key", to_pem(*operator_key), kSecret}};
  std::vector<Path> configurations;
  for (const Node& node : *nodes) {
    auto own = credentials(plan.folder, authority, node.id, node.host, node.key);
    if (!own) return own.error();
    files.insert(files.end(), own->begin(), own->end());
    configurations.push_back(plan.folder / (node.id + ".yaml"));
    files.push_back({configurations.back(),
                     write_yaml(plan, *cluster, node, *nodes, public_key_of(*operator_key)),
                     kPublic});
  }

  using std::filesystem::perms;
  if (auto made = make_folder(operator_folder, perms::owner_all); !made) return made.error();
  if (auto written = write_all(files); !written) return written.error();
  return configurations;
}

Result<PublicKey> generate_newcomer(const Path& folder, const std::string& node_id,
                                    const std::string& host) {
  auto authority = load_authority(folder);
  if (!authority) return authority.error();
  auto key = generate_private_key();
  if (!key) return key.error();
  auto files = credentials(folder, *authority, node_id, host, *key);
  if (!files) return files.error();
  if (auto written = write_all(*files); !written) return written.error();
  return public_key_of(*key);
}

Result<Path> renew_certificate(const Path& folder, const std::string& node_id) {
  auto authority = load_authority(folder);
  if (!authority) return authority.error();
  const Path file = folder / (node_id + ".crt");
  auto facts = load_certificate(file);
  if (!facts) return facts.error();
  auto certificate = issue_certificate(authority->key, authority->certificate,
                                       {node_id, facts->hosts, facts->public_key});
  if (!certificate) return certificate.error();
  if (auto written = replace_file(file, *certificate, kPublic); !written) return written.error();
  return file;
}

}  // namespace zap::config
