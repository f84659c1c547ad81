// core/operation.h - the one value that flows: an Operation in, a Decision and a Reply out.
//
// An adapter makes an Operation of a client's bytes; the engine orders it without looking into its
// payload; the applier hands it to the application, and an adapter makes bytes of the Reply.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/time.h"

namespace zap {

/// A replicated call (or a read that is served by ordering it).
struct Operation {
  OperationId id;
  WallTime deadline = 0;  ///< agreed time after which it is not executed any more
  std::string listener;   ///< the configured name of the listener that took it
  std::string method;     ///< the methods-table entry that it matched, for metrics and errors
  Bytes payload;          ///< the call, as its adapter writes it for the application

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
};

struct DecidedCall {
  CallPtr call;
  Outcome outcome = Outcome::kApplied;
  Index index = 0;         ///< only when applied
  std::uint64_t seed = 0;  ///< only when applied; neither secret nor unbiasable
};

/// One decided slot, as executed: calls in order, indexes without gaps.
struct Decision {
  Seq seq = 0;
  View view = 0;           ///< the view in which this node saw it decided: differs between nodes
  WallTime timestamp = 0;  ///< agreed; never goes back
  std::vector<DecidedCall> calls;
};

/// An application's answer to one operation.
struct Reply {
  Bytes payload;    ///< as the adapter of its application wrote it
  Digest compared;  ///< covers what must be equal on all nodes (status, body, most headers)
};

}  // namespace zap
