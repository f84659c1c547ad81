// proxy/reads/linearizable_reads.h - reads that see every write acknowledged before they began.
//
// The reads of one turn share one place in the order: a barrier, which takes no index. It carries
// them and names who runs them there, between two calls: f + 1 nodes, this one among them. So a
// read costs two applications of four a question, and no node a place of its own. f + 1 equal
// answers are the answer: one of them at least is correct, and all come from the same state. (With
// `replies: local` a barrier is empty, and the read goes to the local application once that has
// everything before it.)
//
// Where the named nodes are slow, gone or wrong, a second barrier names all; where that does not
// help either, the read is ordered like a call, which waits for the applications. A read is
// answered by whichever of its attempts is first. Nodes that were late are left in peace a while.
//
// Threads: lives on the main loop.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "config/config.h"
#include "consensus/wire/barrier.h"
#include "consensus/wire/peer_messages.h"
#include "core/membership.h"
#include "core/operation.h"
#include "proxy/answers/answer_votes.h"
#include "proxy/clients/client.h"
#include "proxy/clients/route.h"
#include "proxy/net/event_loop.h"

namespace zap {

/// A client's read, and who waits for it.
struct WaitingRead {
  std::weak_ptr<Client> client;
  std::uint64_t sequence = 0;  ///< the client's own name for it
  const Route* route = nullptr;
  const config::Method* method = nullptr;
  Bytes payload;
  Index min_index = 0;
  Instant deadline{};
};

class LinearizableReads {
 public:
  struct Settings {
    NodeId self = 0;
    std::vector<NodeId> everyone;
    Quorum quorum;
    config::Replies replies = config::Replies::kQuorum;
    Duration round_timeout = std::chrono::milliseconds(500);
  };
  struct Handlers {
    /// The others whose applications answer, as far as we know.
    std::function<std::vector<NodeId>()> readers;
    /// Whether the applications beside us answer.
    std::function<bool()> local_is_well;
    /// What another node's answer comes to, read as if our application had given it.
    std::function<Result<Reply>(const WaitingRead&, const Bytes& answer)> verify;
    std::function<void(const WaitingRead&, const Reply&, Index)> answered;
    std::function<void(const WaitingRead&, const ProxyError&)> refused;
    /// To be tried once more, in the next bundle.
    std::function<void()> again;
    /// Barriers did not serve it.
    std::function<void(const WaitingRead&)> order;
    /// `replies: local`: it sees everything up to the index.
    std::function<void(const WaitingRead&, Index)> read_locally;
  };

  LinearizableReads(EventLoop& loop, Settings settings, Handlers handlers);

  /// For the next barrier.
  void add(WaitingRead read);
  std::size_t waiting() const { return first_.size() + second_.size(); }
  /// Not answered yet; those included.
  std::size_t unanswered() const { return unanswered_; }

  /// A barrier with what waits, as much as one may carry. `agreed` is the time on which its
  /// deadline counts. Only where something waits.
  Operation take_barrier(const OperationId& id, Instant now, WallTime agreed);

  /// A barrier of ours has its place, behind the call at `index`.
  void decided(const OperationId& id, Index index, Instant now);
  /// What a node's applications, ours included, answered there.
  void heard(NodeId from, const wire::ReadAnswers& answers);

  /// Refuses what waited too long. To be called now and then.
  void tick(Instant now);

 private:
  enum class Stage { kSomeRead, kAllRead, kEarly, kOver };

  struct Read {
    WaitingRead waiting;
    Stage stage = Stage::kSomeRead;  ///< of the newest attempt; kOver: ended, or ordered
    bool came_early = false;         ///< the order had not reached its min_index; kEarly: has not
  };
  using ReadPtr = std::shared_ptr<Read>;

  /// One read in one barrier.
  struct Place {
    ReadPtr read;
    AnswerVotes votes;
    std::vector<wire::ReadAnswers::Answer> whole;  ///< with their bytes, as nodes gave them
    std::vector<NodeId> gave_whole;
  };
  struct Attempt {
    Stage stage = Stage::kSomeRead;
    std::vector<NodeId> readers;
    std::vector<NodeId> heard;
    std::vector<Place> places;
    std::optional<Index> index;  ///< none: not decided yet
    Instant due = kNever;
  };
  using Attempts = std::map<std::uint64_t, Attempt>;

  std::vector<NodeId> choose_readers(Stage stage, Instant now);
  void settle(Attempt& attempt, Place& place);
  std::optional<Reply> whole_answer(const Place& place, const Digest& agreed) const;
  /// This attempt will not answer it.
  void give_up(const Attempt& attempt, const ReadPtr& read);
  void answer(const ReadPtr& read, const Reply& reply, Index index);
  void refuse(Read& read, const ProxyError& error);
  void expire(Read& read, Instant now);
  void end(Read& read);
  void check_due();

  const Settings settings_;
  const Handlers handlers_;

  std::vector<ReadPtr> first_;   ///< wait for a barrier that names some
  std::vector<ReadPtr> second_;  ///< wait for one that names all
  std::vector<ReadPtr> early_;   ///< wait for tick(), to be tried again
  std::size_t unanswered_ = 0;
  Attempts attempts_;  ///< by their barriers' numbers
  Timer due_;
  std::map<NodeId, Instant> late_until_;
  std::size_t turn_ = 0;  ///< nodes are named in turns
};

}  // namespace zap
