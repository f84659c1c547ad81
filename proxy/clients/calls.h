// proxy/clients/calls.h - the calls that this sidecar took: who waits for which, and when it is
// answered.
//
// The origin of a call gives it a number, submits it, and answers its client once the local
// application has answered and (with `replies: quorum`) f + 1 nodes report the digest of an equal
// answer: at least one of them is correct. Numbers have no gaps, so the table is a queue indexed by
// number; it drops its front as calls finish. A client that goes away ends nothing: its call is
// ordered all the same.
//
// Threads: lives on the main loop.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "config/config.h"
#include "core/ids.h"
#include "core/membership.h"
#include "core/operation.h"
#include "core/time.h"

namespace zap {

class Client;

/// Who waits for a call, and what it was.
struct WaitingCall {
  std::weak_ptr<Client> client;
  std::uint64_t sequence = 0;  ///< the client's own name for it
  config::Mode mode = config::Mode::kReplicated;
  std::size_t payload_bytes = 0;
  Instant deadline{};
};

/// How the waiting for a call ended.
struct CallEnd {
  enum class Kind {
    kAnswered,     ///< `reply` is the answer
    kDiffer,       ///< applied at `index`, and no f + 1 nodes can agree with the local answer
    kLost,         ///< applied at `index`, and the local application's answer did not arrive
    kNotExecuted,  ///< ordered, and skipped on every node
    kTimedOut,     ///< nothing is known yet
  };
  Kind kind = Kind::kTimedOut;
  OperationId id;
  Index index = 0;
  View view = 0;
  Reply reply;
};

/// What the table tells for the latency metrics.
struct CallTimes {
  Duration execute{};  ///< decided until answered by the local application
  Duration reply{};    ///< from there until enough nodes agreed
};

class Calls {
 public:
  using Ended = std::function<void(const WaitingCall&, const CallEnd&, const CallTimes&)>;

  /// `ended` hears of each call once. It may take further calls.
  Calls(NodeId self, Incarnation incarnation, Quorum quorum, config::Replies rule, Ended ended);

  /// Takes the next number. The caller submits the call: a number that is taken must be ordered.
  OperationId take(WaitingCall call);

  /// What became of a call at its execution. Calls of other origins are no matter of this table.
  void decided(const DecidedCall& decided, View view, Instant now);
  /// The local application's answer; none: it was lost.
  void local_reply(const OperationId& id, const Reply* reply, Instant now);
  void peer_reply(NodeId from, const OperationId& id, const Digest& compared, Instant now);

  /// Ends the waiting for every call whose deadline has passed. To be called now and then.
  void expire(Instant now);

  std::size_t waiting() const { return waiting_; }
  /// Taken, not decided here yet, and still waited for.
  bool is_pending(const OperationId& id) const;

 private:
  struct Vote {
    NodeId node;
    Digest compared;
  };
  struct Entry {
    WaitingCall call;
    bool waiting = true;
    bool decided = false;
    bool answered_locally = false;
    Index index = 0;
    View view = 0;
    Reply local;
    Instant decided_at{};
    Instant local_at{};
    std::vector<Vote> votes;  ///< one a node
  };
  struct Deadline {
    Instant at;
    std::uint64_t number;
    friend bool operator>(const Deadline& a, const Deadline& b) { return a.at > b.at; }
  };

  Entry* find(const OperationId& id);
  const Entry* find(const OperationId& id) const;
  void vote(Entry& entry, const OperationId& id, NodeId node, const Digest& compared, Instant now);
  void settle(Entry& entry, const OperationId& id, Instant now);
  void end(Entry& entry, const OperationId& id, CallEnd::Kind kind, Instant now);

  const NodeId self_;
  const Incarnation incarnation_;
  const Quorum quorum_;
  const config::Replies rule_;
  const Ended ended_;

  std::uint64_t first_ = 1;    ///< number of entries_.front()
  std::deque<Entry> entries_;  ///< call number n at n - first_
  std::priority_queue<Deadline, std::vector<Deadline>, std::greater<>> deadlines_;
  std::size_t waiting_ = 0;
};

}  // namespace zap
