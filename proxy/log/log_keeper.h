// proxy/log/log_keeper.h - between the engine's records and the store's log.
//
// At the start it replays the log into what the replica begins with; then it appends what the
// engine writes, says what has become durable, and reads decided slots back: for peers that are
// behind, and for applications that are.
//
// Threads: lives on the main loop; every callback comes there. Reading back runs on a thread of its
// own.

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "consensus/engine.h"
#include "consensus/pbft/restore.h"
#include "core/result.h"
#include "proxy/driver.h"
#include "proxy/log/decision_cursor.h"
#include "proxy/log/decision_source.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/worker.h"
#include "store/log.h"

namespace zap {

class LogKeeper : public DecisionSource {
 public:
  struct Events {
    /// For Driver::log_is_durable.
    std::function<void(LogPosition)> durable;
    /// The disk refused: stop voting, say so, end the process.
    std::function<void(const Error&)> failed;
  };

  /// Reads the log in `path`, writes the part of it that votes rest on into a new segment, and is
  /// ready to append. `loop` outlives the keeper, and does not run any more without it.
  static Result<std::unique_ptr<LogKeeper>> open(EventLoop& loop, const std::filesystem::path& path,
                                                 store::LogOptions options, Events events);
  ~LogKeeper() override;

  /// What the replica starts with. Call once.
  pbft::Restored take_restored();

  /// Records appended so far, the keeper's own at the start among them: where the driver begins to
  /// count.
  LogPosition appended() const { return appended_; }

  // What the driver asks for.
  void append(const std::vector<Record>& records);
  void sync();
  using Answer = std::function<void(Result<Message>)>;
  /// DecidedDigests or Batches, as far as the log holds the slots and up to about 1 MB; kNotFound
  /// where it holds none. A peer for which too many wait already gets nothing, and asks again.
  void serve(const Serve& request, Answer answer);
  /// Notice::Kind::kAmnesia: what the log lacks must be remembered across restarts.
  void admit_loss(View view);
  /// Notice::Kind::kReturned: what was lost no longer keeps this node from voting.
  void votes_again();

  void read_decisions(Index first, std::size_t bytes,
                      std::function<void(Result<Decisions>)> done) override;

  /// Everything becomes durable, and the next start knows that it did.
  Result<void> close();

  const store::LogCounters& counters() const { return log_->counters(); }

 private:
  class Replay;
  LogKeeper(EventLoop& loop, ClusterId cluster, Events events, std::unique_ptr<store::Log> log,
            pbft::Restored restored);
  Result<void> start(const Replay& replay);
  Result<Decisions> decisions(Index first, std::size_t bytes);

  EventLoop& loop_;
  const ClusterId cluster_;
  const Events events_;
  std::unique_ptr<store::Log> log_;
  std::optional<pbft::Restored> restored_;
  store::Position read_ = 0;  ///< the last position read at the start: the driver's position 0
  LogPosition appended_ = 0;
  std::map<NodeId, std::size_t> serving_;  ///< reads that wait, for each peer

  std::list<DecisionCursor> cursors_;  ///< the reader's; the one used last comes first
  std::unique_ptr<Worker> reader_;     ///< last: it uses all above
};

}  // namespace zap
