// adapters/proxy_error.h - the errors that the sidecar itself answers to clients.
//
// The codes are the product's, one list for all protocols; each adapter has a table that gives
// them its own form (an HTTP status, a gRPC status, a Redis error).

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"

namespace zap {

enum class ProxyErrorCode : std::uint8_t {
  // Never left this sidecar: retry freely.
  kNoQuorum,    ///< too few nodes reachable to order anything
  kDraining,    ///< this node is being taken out of service
  kStarting,    ///< this node has not caught up yet
  kOverloaded,  ///< limits.queue_bytes is used up
  // May or may not have happened.
  kOutcomeUnknown,  ///< retry with the same key
  // Reads and passthrough.
  kAppUnreachable,   ///< the application beside us does not answer
  kAppQuarantined,   ///< the application beside us diverged
  kTooStale,         ///< a local read beyond its max_staleness
  kIndexNotReached,  ///< Zap-Min-Index is not applied here yet
  // The request itself.
  kTooLarge,   ///< beyond limits.request_bytes, or an answer beyond limits.response_bytes
  kMalformed,  ///< not a valid message; the connection closes
  kRejected,   ///< the methods table says reject
  kLoop,       ///< a replicated call that calls its own cluster
  // Committed, or decided by a key.
  kAnswersDiffer,  ///< committed, but no answer can reach f+1
  kKeyInFlight,    ///< this sidecar waits for the first call with this key
  kKeyReused,      ///< the key came with another payload before
  kAnswerLost,     ///< the first call's answer can no longer be found on f+1 nodes
};

/// The code as users see it, such as "no_quorum".
std::string_view to_string(ProxyErrorCode code);

/// Every code, in the order of the enumeration.
inline constexpr int kProxyErrorCodes = static_cast<int>(ProxyErrorCode::kAnswerLost) + 1;

struct ProxyError {
  ProxyErrorCode code;
  std::string message;              ///< a sentence: what, which value, which limit, the way out
  std::string details = {};         ///< what only an operator wants to know; may be empty
  std::string operation_id = {};    ///< "node1-7-1042" where the call has one
  std::optional<Index> index = {};  ///< where the call was committed
};

}  // namespace zap
