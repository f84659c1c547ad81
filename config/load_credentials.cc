// The node's key and certificates: there, readable, and belonging together.

#include <ctime>

#include "config/certificates.h"
#include "config/keys.h"
#include "config/load_parts.h"

namespace zap::config {
namespace {

constexpr WallTime kNanosecondsPerSecond = 1'000'000'000;

std::string fresh_one(const Config& config) {
  return "make a fresh one where cluster/operator is: zap-sidecar init --renew " + config.node_id;
}

void check_key(Section& peer, const Config& config, const Member* self) {
  if (config.peer.private_key.empty()) return;
  const auto key = load_private_key(config.peer.private_key);
  if (!key) {
    const std::string& message = key.error().message;
    const std::size_t semicolon = message.rfind("; ");
    const bool has_way_out = semicolon != std::string::npos;
    peer.problems().add(peer.where("private_key"),
                        "peer.private_key: " + message.substr(0, semicolon),
                        has_way_out ? message.substr(semicolon + 2)
                                    : "the file that `zap-sidecar init` wrote for this node");
  } else if (self && self->public_key != PublicKey{} && public_key_of(*key) != self->public_key) {
    peer.problems().add(
        peer.where("private_key"),
        "peer.private_key is not the key that consensus.nodes has for " + self->name,
        "there it is " + to_string(self->public_key) + ", the file's is " +
            to_string(public_key_of(*key)));
  }
}

void check_certificate(Section& peer, const Config& config, const Member* self) {
  if (config.peer.certificate.empty()) return;
  Problems& problems = peer.problems();
  const Position where = peer.where("certificate");
  const auto facts = load_certificate(config.peer.certificate);
  if (!facts) {
    problems.add(where, "peer.certificate: " + facts.error().message, fresh_one(config));
    return;
  }
  if (facts->node_id != config.node_id) {
    problems.add(where,
                 "peer.certificate was made for '" + facts->node_id + "', and node_id is '" +
                     config.node_id + "'",
                 "each node has its own");
  }
  if (self && self->public_key != PublicKey{} && facts->public_key != self->public_key) {
    problems.add(
        where, "peer.certificate does not carry the key that consensus.nodes has for " + self->name,
        fresh_one(config));
  }
  const WallTime now = static_cast<WallTime>(std::time(nullptr)) * kNanosecondsPerSecond;
  if (now >= facts->not_after)
    problems.add(where, "peer.certificate has expired", fresh_one(config));
  if (now < facts->not_before) {
    problems.add(where, "peer.certificate is not good yet", "look at this machine's clock");
  }
  if (config.peer.authority.empty()) return;
  const auto verified = verify_certificate(config.peer.certificate, config.peer.authority);
  if (!verified) {
    problems.add(peer.where("authority"), "peer.authority: " + verified.error().message,
                 "the cluster-ca.crt that `zap-sidecar init` wrote beside the certificate");
  }
}

}  // namespace

void check_credentials(Section& peer, const Config& config) {
  const Membership members = config.first_membership();
  const Member* self = members.find(config.node_id);
  check_key(peer, config, self);
  check_certificate(peer, config, self);
}

}  // namespace zap::config
