// proxy/clients/calls.h - the calls that this sidecar took: who waits for which, and when it is
// answered.
//
// The origin of a call gives it a number, submits it, and answers its client: with `replies: local`
// once the local application has answered, with `replies: quorum` once f + 1 nodes report the
// digest of an equal answer (at least one of them is correct). Where the local application gave
// another answer, or none, the agreed one is fetched from a node that gave it. Numbers have no
// gaps, so the table is a queue indexed by number; it drops its front as calls finish. A client
// that goes away ends nothing: its call is ordered all the same.
//
// A call that is over stays until the last nodes have answered, as far as there is room: an
// application that diverged is slow now and then, too.
//
// Threads: lives on the main loop.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/ids.h"
#include "core/membership.h"
#include "core/operation.h"
#include "core/time.h"
#include "proxy/answers/answer_votes.h"
#include "proxy/answers/inquiries.h"

namespace zap {

class Client;

/// Who waits for a call, and what it was.
struct WaitingCall {
  std::weak_ptr<Client> client;
  std::uint64_t sequence = 0;              ///< the client's own name for it
  const config::Method* method = nullptr;  ///< its entry in the methods table, which outlives us
  std::size_t payload_bytes = 0;
  std::optional<Digest> key = {};  ///< its idempotency key
  Instant deadline{};
};

/// How the waiting for a call ended.
struct CallEnd {
  enum class Kind {
    kAnswered,     ///< `reply` is the answer
    kDiffer,       ///< applied at `index`, and no f + 1 nodes can give the same answer
    kLost,         ///< applied at `index`, and the answer can no longer be had
    kNotExecuted,  ///< ordered, and skipped on every node
    kKeyReused,    ///< its key was used for another request
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

/// Answers to a replicated call that are not all the same, and no q nodes gave one.
struct Disagreement {
  OperationId id;
  Index index = 0;
  std::string method;
  AnswerVotes votes;
};

struct CallsHandlers {
  /// Hears of each call once. It may take further calls.
  std::function<void(const WaitingCall&, const CallEnd&, const CallTimes&)> ended;
  /// f + 1 nodes gave `agreed`; `donors` are those that still have its bytes. fetched() follows.
  std::function<void(const CallPtr&, const Digest& agreed, std::vector<NodeId> donors)> fetch;
  /// Its call is over.
  std::function<void(const OperationId&)> forget_fetch;
  /// Whether the local application is about to answer as well.
  std::function<bool(const Call&)> expects_local;
  /// These nodes will not answer calls that they have not answered yet.
  std::function<const std::vector<NodeId>&()> mute;
  std::function<void(const Divergence&)> diverged;  ///< once for each node and call
  std::function<void(const Disagreement&)> disagreed;
};

class Calls {
 public:
  Calls(NodeId self, Incarnation incarnation, Quorum quorum, config::Replies rule,
        CallsHandlers handlers);

  /// Takes the next number. The caller submits the call: a number that is taken must be ordered.
  OperationId take(WaitingCall call);
  /// Likewise, for what nobody waits for here: a barrier.
  OperationId take_number();

  /// What became of a call at its execution. Calls of other origins are no matter of this table.
  void decided(const DecidedCall& decided, View view, Instant now);
  /// The local application has executed the call. No reply: it was lost, or must not be given.
  /// `counts`: it is not the answer to a replay, and is compared with those of other nodes.
  void local_reply(const OperationId& id, const Reply* reply, bool counts, Instant now);
  void peer_reply(NodeId from, const OperationId& id, const std::optional<Digest>& compared,
                  Instant now);
  /// What `fetch` led to; null: nobody has the answer any more.
  void fetched(const OperationId& id, const Reply* reply, Instant now);

  /// Ends the waiting for every call whose deadline has passed, and for local answers that are
  /// late. To be called now and then.
  void tick(Instant now);

  std::size_t waiting() const { return waiting_; }
  /// Taken, not decided here yet, and still waited for.
  bool is_pending(const OperationId& id) const;

 private:
  struct Entry {
    WaitingCall waiting_call;  ///< while waiting
    CallPtr call;              ///< while waiting and decided
    const config::Method* method = nullptr;
    bool waiting = true;
    bool decided = false;
    bool executed = false;  ///< the local application has
    bool repeated = false;  ///< by its key: answered with what is kept of another call
    bool fetching = false;
    Index index = 0;
    View view = 0;
    std::optional<Reply> local;
    Instant decided_at{};
    Instant local_at{};
    Instant agreed_at{};  ///< zero: not yet
    AnswerVotes votes;
  };
  struct Deadline {
    Instant at;
    std::uint64_t number;
    friend bool operator>(const Deadline& a, const Deadline& b) { return a.at > b.at; }
  };

  Entry* find(const OperationId& id);
  const Entry* find(const OperationId& id) const;
  void vote(Entry& entry, const OperationId& id, NodeId node, const std::optional<Digest>& compared,
            Instant now);
  void settle(Entry& entry, const OperationId& id, Instant now);
  void agreed(Entry& entry, const OperationId& id, Instant now);
  bool waits_for_local(Entry& entry, Instant now);
  void compare(Entry& entry, const OperationId& id);
  static bool is_comparable(const Entry& entry);
  void end(Entry& entry, const OperationId& id, CallEnd::Kind kind, Instant now);
  void drop_front();

  const NodeId self_;
  const Incarnation incarnation_;
  const Quorum quorum_;
  const config::Replies rule_;
  const CallsHandlers handlers_;

  std::uint64_t first_ = 1;    ///< number of entries_.front()
  std::deque<Entry> entries_;  ///< call number n at n - first_
  std::priority_queue<Deadline, std::vector<Deadline>, std::greater<>> deadlines_;
  std::size_t waiting_ = 0;
  Instant local_was_late_{};  ///< the last time
};

}  // namespace zap
