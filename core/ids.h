// core/ids.h - the numbers that the protocols speak in.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace zap {

/// A member's number: its place, from 0, in the list of founding members, then counting up with
/// each member that joins. Never reused. Users see the member's name instead (Membership).
using NodeId = std::uint32_t;

using View = std::uint64_t;         ///< PBFT view, from 0; OSDI'99, section 2. Users see "term".
using Epoch = std::uint64_t;        ///< one per membership, from 0
using Seq = std::uint64_t;          ///< a slot of the order, from 1; OSDI'99, 4.2
using Index = std::uint64_t;        ///< calls handed to the application, from 1
using Incarnation = std::uint64_t;  ///< starts of one sidecar process, from 1, durable

/// Random, made by `zap-sidecar init`; part of all that is signed.
using ClusterId = std::string;

struct Signature {
  std::array<std::uint8_t, 64> bytes{};
  friend bool operator==(const Signature&, const Signature&) = default;
};

struct PublicKey {
  std::array<std::uint8_t, 32> bytes{};
  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

/// The identity of a call from end to end: in client tables, in replays, in every node's log.
struct OperationId {
  NodeId origin = 0;            ///< the sidecar that took the call
  Incarnation incarnation = 0;  ///< which run of that sidecar
  std::uint64_t number = 0;     ///< counts that run's calls, from 1
  friend auto operator<=>(const OperationId&, const OperationId&) = default;
};

}  // namespace zap
