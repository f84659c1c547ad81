// config/generate.h - a whole cluster's files, made at once: what `zap-sidecar init` writes.
//
// In the cluster's folder: nodeI.yaml, nodeI.key, nodeI.crt, nodeI.token for each node,
// cluster-ca.crt, and operator/ with operator.key and cluster-ca.key, which belong on no node.
// Nothing is ever overwritten. Any thread.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/address.h"
#include "core/result.h"

namespace zap::config {

struct ClusterPlan {
  Path folder = "cluster";
  std::uint32_t nodes = 4;
  std::vector<std::string> hosts;  ///< one for each node; none: all on this machine
  Protocol protocol = Protocol::kPbft;
  ListenerProtocol listen = ListenerProtocol::kHttp;
  std::uint16_t base_port = 8081;  ///< of the first node on a host; the next ones count up
  std::uint16_t peer_port = 9001;
  std::uint16_t admin_port = 9901;
  Address app{.host = "127.0.0.1", .port = 5001};
  AppState state = AppState::kMemory;
};

/// Answers the configuration files, one for each node.
Result<std::vector<Path>> generate_cluster(const ClusterPlan& plan);

/// ID.key, ID.crt and ID.token for a node that is to join at `host`. Answers its public key.
Result<PublicKey> generate_newcomer(const Path& folder, const std::string& node_id,
                                    const std::string& host);

/// A fresh ID.crt with the key and the hosts of the one that is there. Answers it.
Result<Path> renew_certificate(const Path& folder, const std::string& node_id);

}  // namespace zap::config
