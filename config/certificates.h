// config/certificates.h - the X.509 certificates by which peers know each other.
//
// A cluster has an authority of its own. A node's certificate names the node (CN, and a DNS name),
// its hosts, and carries the node's Ed25519 key, the one that signs its votes. Peers accept a
// certificate only with the key that the membership pins to the name. Any thread.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/keys.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"

namespace zap::config {

inline constexpr int kAuthorityDays = 3650;
inline constexpr int kNodeDays = 730;

/// The authority's own certificate, PEM.
Result<std::string> make_authority(const PrivateKey& key, const ClusterId& cluster);

struct NodeIdentity {
  std::string node_id;
  std::vector<std::string> hosts;  ///< names or IP addresses where peers reach it
  PublicKey public_key;
};

/// A node's certificate, PEM, good for kNodeDays from now.
Result<std::string> issue_certificate(const PrivateKey& authority_key,
                                      std::string_view authority_pem, const NodeIdentity& node);

struct CertificateFacts {
  std::string node_id;
  std::vector<std::string> hosts;
  PublicKey public_key;
  WallTime not_before = 0;
  WallTime not_after = 0;
};

/// What the certificate in a PEM file says.
Result<CertificateFacts> load_certificate(const std::filesystem::path& file);

/// Whether `certificate` was signed by `authority` (both PEM files).
Result<void> verify_certificate(const std::filesystem::path& certificate,
                                const std::filesystem::path& authority);

}  // namespace zap::config
