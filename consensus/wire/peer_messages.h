// consensus/wire/peer_messages.h - what peers say to each other beside consensus.

#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "consensus/engine.h"
#include "core/digest.h"
#include "core/ids.h"

namespace zap::wire {

/// Raised when two versions no longer understand each other.
inline constexpr std::uint32_t kProtocolVersion = 1;

/// The first frame in each direction. What must be equal is compared, and a difference named.
struct Hello {
  std::uint32_t protocol_version = kProtocolVersion;
  ClusterId cluster;
  NodeId node = 0;
  Epoch epoch = 0;
  Digest membership;            ///< must be equal in equal epochs
  Digest agreed_configuration;  ///< idempotency, compare, ignore: must be equal
  Digest methods_table;         ///< a difference is reported and tolerated
  std::string software_version;
  friend bool operator==(const Hello&, const Hello&) = default;
};

/// Says that the link lives where nothing else does.
struct Ping {
  friend bool operator==(const Ping&, const Ping&) = default;
};

/// To an origin: what its calls came to at the sender's application, as digests to compare.
struct Replies {
  struct Result {
    std::uint64_t number = 0;  ///< the call's, in the origin's `incarnation`
    Digest digest;             ///< Reply::compared
    friend bool operator==(const Result&, const Result&) = default;
  };
  Incarnation incarnation = 0;
  std::vector<Result> results;
  friend bool operator==(const Replies&, const Replies&) = default;
};

using PeerMessage = std::variant<Hello, Ping, Replies, Message>;

}  // namespace zap::wire
