// Keys, certificates and a membership for tests of links and the gate: a small cluster's worth.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/keys.h"
#include "core/membership.h"
#include "proxy/net/tls.h"
#include "proxy/peers/crypto.h"

namespace zap::test {

/// Some nodes with certificates of one authority, in a folder that goes with it.
class ClusterKeys {
 public:
  explicit ClusterKeys(std::size_t nodes, const ClusterId& cluster = "c1");
  ~ClusterKeys();
  ClusterKeys(const ClusterKeys&) = delete;
  ClusterKeys& operator=(const ClusterKeys&) = delete;

  /// All at 127.0.0.1:1 until a test knows better.
  Membership membership;

  Signer signer(NodeId id) const { return Signer(keys_.at(id).seed); }
  TlsContext tls(NodeId id) const;
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  std::string name(NodeId id) const { return membership.members.at(id).name; }

 private:
  std::filesystem::path folder_;
  std::vector<config::PrivateKey> keys_;
};

}  // namespace zap::test
