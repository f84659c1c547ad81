// consensus/engine.h - the one door into a consensus protocol.
//
// An Engine is a deterministic state machine: no clock, no socket, no disk, no random number.
// What it learns arrives through step(); what it wants done leaves in Outputs. The same inputs
// in the same order give the same outputs: simulation and replay rest on that promise.
//
// A replica's own vote counts only when it comes back through step() as a Receive from itself,
// which the driver does once the vote is durable and signed. That one rule settles
// persist-before-send, signing and self-votes.
//
// Threads: one caller at a time; no locks inside.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "consensus/pbft/messages.h"
#include "core/ids.h"
#include "core/membership.h"
#include "core/operation.h"
#include "core/time.h"

namespace zap {

/// What peers say and what the log keeps, of whichever protocol the cluster runs.
using Message = pbft::Message;
using MessagePtr = std::shared_ptr<const Message>;
using Record = pbft::Record;

// ---------------------------------------------------------------- inputs

/// Time has passed: expected no later than Outputs::wake_at.
struct Tick {};

/// Calls that this node's clients made, numbered by the caller: its own incarnation, numbers
/// going on from the last Submit without a gap, no more than room() of them.
struct Submit {
  std::vector<Operation> operations;
};

/// A message that the gate has verified: `from` is who the channel (or, for our own, the driver)
/// says it is, and every signature inside is valid.
struct Receive {
  NodeId from = 0;
  MessagePtr message;
};

/// The link to a peer came up (again).
struct Connected {
  NodeId peer = 0;
};

/// How much the application beside us has before it. Told whenever `full` changes and, while we
/// lead the view, whenever `calls` did.
struct Backlog {
  std::size_t calls = 0;  ///< decided, and not answered by it: a leader lets the next ones gather
  bool full = false;      ///< no timer of ours counts: the application is slow, not the leader
};

using Input = std::variant<Tick, Submit, Receive, Connected, Backlog>;

// ---------------------------------------------------------------- outputs

struct Send {
  std::vector<NodeId> to;  ///< may name this node itself: the driver hands it back through step()
  Message message;         ///< signature fields are empty: the driver signs
};

/// Send `to` what the log holds of decided slots first to last: their digests as DecidedDigests,
/// or their contents as Batches.
struct Serve {
  NodeId to = 0;
  Seq first = 0;
  Seq last = 0;
  enum class What { kDigests, kContents } what = What::kDigests;
};

/// Something an operator wants to read in the log or see in a metric.
struct Notice {
  enum class Kind {
    kViewChange,    ///< we left a view: `view` is the one to come
    kNewView,       ///< `view` works; `node` leads it
    kStable,        ///< checkpoint `seq` is stable
    kCaughtUp,      ///< we hold what the others hold
    kEquivocation,  ///< `node` signed what contradicts itself: `evidence`; `text` says how
    kAmnesia,       ///< our log lacks what we said; `text` says what, and what happens now
    kReturned,      ///< we may vote (again)
  };
  Kind kind;
  View view = 0;
  Seq seq = 0;
  NodeId node = 0;
  std::string text;
  std::vector<Message>
      evidence;  ///< signed by `node`, without calls; one, where it is wrong by itself
};

struct Outputs {                  // the field order is the contract
  std::vector<Record> write;      ///< append to the log, in this order
  std::vector<Send> at_once;      ///< may leave before the write
  std::vector<Send> after_write;  ///< leave, and return ours, once all written so far is durable
  std::vector<Serve> serve;       ///< read the log for a peer
  std::vector<Decision> decided;  ///< in slot order, without gaps
  std::vector<Notice> notices;
  Instant wake_at = kNever;  ///< step(Tick) no later than this

  bool empty() const {
    return write.empty() && at_once.empty() && after_write.empty() && serve.empty() &&
           decided.empty() && notices.empty();
  }
};

// ---------------------------------------------------------------- the engine

/// What metrics, health and status show. A snapshot, cheap to take.
struct EngineState {
  enum class Phase { kStarting, kCatchingUp, kNormal, kViewChange };
  Phase phase = Phase::kStarting;
  View view = 0;
  std::optional<NodeId> leader;  ///< none while a view change runs
  Seq prepared = 0;              ///< the highest slot with a prepared certificate
  Seq decided = 0;
  Seq stable = 0;
  Index commit_index = 0;
  WallTime last_timestamp = 0;
  Epoch epoch = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// One step. `now` never goes back on its monotonic side.
  virtual Outputs step(const Now& now, const Input& input) = 0;

  virtual EngineState state() const = 0;

  /// How many calls the next Submit may carry: below 4,096 numbers may wait undecided.
  virtual std::size_t room() const = 0;

  /// True of a message that can change nothing any more: a vote for what has its quorum already.
  /// Its signature need not be verified, nor step() hear of it.
  virtual bool is_superfluous(const Message& message) const = 0;

  /// What became of a call, as far as the client table tells: decided already?
  virtual bool is_decided(const OperationId& id) const = 0;

  /// Aborts where the replica's own state contradicts itself. For tests and the simulator.
  virtual void check_invariants() const = 0;

  /// The whole state, for a person to read.
  virtual std::string dump() const = 0;
};

}  // namespace zap
