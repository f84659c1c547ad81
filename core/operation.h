// core/operation.h - the one value that flows: an Operation in, a Decision and a Reply out.
//
// An adapter makes an Operation of a client's bytes; the engine orders it without looking into its
// payload; the applier hands it to the application, and an adapter makes bytes of the Reply.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/time.h"

namespace zap {

/// What a client asked to happen once only. Only the call's origin computes it.
struct OnceKey {
  Digest key;          ///< of the key and its scope: listener, method, path, Authorization
  Digest fingerprint;  ///< of the request: the same key with another one is a misuse
  friend bool operator==(const OnceKey&, const OnceKey&) = default;
};

/// How long keys are remembered: the first bound that is reached counts. The same on all nodes.
struct KeyLimits {
  Duration keep = std::chrono::hours(24);
  std::uint64_t entries = 100'000;
  std::uint64_t bytes = 256'000'000;  ///< keys and the requests that came with them
  friend bool operator==(const KeyLimits&, const KeyLimits&) = default;
};

enum class OperationKind : std::uint8_t {
  kCall,         ///< may change the application
  kBarrier,      ///< takes no index: carries reads to their place in the order
  kOrderedRead,  ///< changes nothing, and takes an index: what barriers did not serve in time
};

/// What is ordered.
struct Operation {
  OperationId id;
  WallTime deadline = 0;  ///< agreed time after which it is not executed any more
  std::string listener;   ///< the configured name of the listener that took it
  std::string method;     ///< the methods-table entry that it matched, for metrics and errors
  Bytes payload;          ///< the call, as its adapter writes it for the application
  std::optional<OnceKey> once = {};
  OperationKind kind = OperationKind::kCall;

  friend bool operator==(const Operation&, const Operation&) = default;
};

/// Covers every field of the operation.
Digest digest_of(const Operation& operation);

/// An operation beside its digest: hashed once, shared by everyone who holds it.
struct Call {
  Operation operation;
  Digest digest;

  explicit Call(Operation op) : operation(std::move(op)), digest(digest_of(operation)) {}
};
using CallPtr = std::shared_ptr<const Call>;

/// What became of a call at its execution; the same on every node.
enum class Outcome : std::uint8_t {
  kApplied,    ///< it has an index and goes to the application
  kDuplicate,  ///< its id was decided before
  kExpired,    ///< the agreed timestamp was beyond its deadline
  kVoid,       ///< its incarnation is over, or its number beyond the client table's window
  kRepeated,   ///< its key was used: answered like the call at `index`
  kKeyReused,  ///< its key was used with another request
  kBarrier,    ///< takes no index; `index` is the last one before it
};

struct DecidedCall {
  CallPtr call;
  Outcome outcome = Outcome::kApplied;
  Index index = 0;         ///< when applied; also see kRepeated, kBarrier
  std::uint64_t seed = 0;  ///< only when applied; neither secret nor unbiasable
};

/// One decided slot, as executed: calls in order, indexes without gaps.
struct Decision {
  Seq seq = 0;
  View view = 0;           ///< the view in which this node saw it decided: differs between nodes
  WallTime timestamp = 0;  ///< agreed; never goes back
  std::vector<DecidedCall> calls;
};

/// The newest index that the decision gave out, or 0.
Index last_applied(const Decision& decision);

/// An application's answer to one operation.
struct Reply {
  Bytes payload;    ///< as the adapter of its application wrote it
  Digest compared;  ///< covers what must be equal on all nodes (status, body, most headers)
};

}  // namespace zap
