// core/membership.h - who belongs to the cluster in one epoch, and what a quorum of it is.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "core/ids.h"

namespace zap {

struct Member {
  NodeId id = 0;
  std::string name;     ///< the configuration's node id, such as "node1"
  std::string address;  ///< where its peers reach it, host:port
  PublicKey public_key;
  friend bool operator==(const Member&, const Member&) = default;
};

/// Quorum arithmetic for n replicas of which f may lie. No other file computes any of this.
struct Quorum {
  std::uint32_t n = 0;

  /// Byzantine replicas survived: floor((n - 1) / 3).
  std::uint32_t faulty() const { return (n - 1) / 3; }
  /// Any two quorums share a correct replica: ceil((n + f + 1) / 2).
  std::uint32_t size() const { return (n + faulty() + 2) / 2; }
  /// One of so many is correct: f + 1.
  std::uint32_t one_correct() const { return faulty() + 1; }
};

/// The members of one epoch, in the order that gives the leader of each view.
struct Membership {
  Epoch epoch = 0;
  std::vector<Member> members;

  Quorum quorum() const { return Quorum{static_cast<std::uint32_t>(members.size())}; }
  const Member* find(NodeId id) const;
  const Member* find(std::string_view name) const;
  bool contains(NodeId id) const { return find(id) != nullptr; }
  /// The member's name; "node#7" for one that is not a member of this epoch.
  std::string name_of(NodeId id) const;
  Digest digest() const;

  friend bool operator==(const Membership&, const Membership&) = default;
};

/// "node1-7-1042": origin, incarnation, number. What users see as Zap-Op-Id.
std::string to_string(const OperationId& id, const Membership& membership);
/// Nothing unless `text` is exactly what to_string would print for some member's call.
std::optional<OperationId> parse_operation_id(std::string_view text, const Membership& membership);

}  // namespace zap
