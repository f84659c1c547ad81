// proxy/app/app_backlog.h - the decided calls that an application has not been given yet.
//
// Holds the next index and a bounded queue of the calls from there on. While the queue has room
// and nothing is missing before it, decided calls go straight in; otherwise only the newest index
// is kept, and the calls are read back from the log as room comes. rewind() sets the next index
// anywhere, so replaying to a restarted application is the same thing as catching up.
//
// Threads: one; lives on the applier's loop.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/operation.h"
#include "proxy/app/placed_reads.h"
#include "proxy/log/decision_source.h"
#include "proxy/net/event_loop.h"

namespace zap {

/// A decided call, with what its application is told beside it; or a barrier, with its reads.
struct OrderedCall {
  Index index = 0;  ///< a barrier's: of the call before it
  WallTime timestamp = 0;
  std::uint64_t seed = 0;
  CallPtr call;
  PlacedReadsPtr reads = nullptr;  ///< of a barrier; null: a call
};

struct AppBacklogSettings {
  std::vector<std::string> listeners;  ///< the calls of others only move the index
  std::size_t calls = 4096;
  std::size_t bytes = 16'000'000;
  /// What of a barrier is to be run here; null: nothing.
  std::function<PlacedReadsPtr(const CallPtr& barrier)> reads_of = [](const CallPtr&) {
    return nullptr;
  };
};

class AppBacklog {
 public:
  /// `on_calls`: the queue was empty, and is not. `on_waiting`: calls began to wait in the log, or
  /// none does any more.
  AppBacklog(EventLoop& loop, AppBacklogSettings settings, DecisionSource& source,
             std::function<void()> on_calls, std::function<void(bool)> on_waiting);

  /// Nothing is queued before the first rewind.
  void rewind(Index next, Index decided);
  void rewind(Index next) { rewind(next, decided_); }
  void enqueue(const Decision& decision);

  bool empty() const { return queue_.empty(); }
  /// What pop() would give is a barrier.
  bool reads_are_next() const { return !queue_.empty() && queue_.front().reads; }
  OrderedCall pop();
  /// The calls that were popped last, in order: they come next again.
  void give_back(std::deque<OrderedCall> calls);

  /// The newest decided index that is known.
  Index decided() const { return decided_; }
  /// Every call of ours up to it was popped.
  Index popped_up_to() const;

 private:
  bool missing() const { return next_ <= decided_; }
  bool full() const { return queue_.size() >= settings_.calls || bytes_ >= settings_.bytes; }
  bool is_ours(const Call& call) const;
  void push(const Decision& decision, bool is_fresh);
  void push_reads(const DecidedCall& barrier);
  void read_log();
  void take(Result<DecisionSource::Decisions> read);
  void tell_waiting();

  const AppBacklogSettings settings_;
  DecisionSource& source_;
  const std::function<void()> on_calls_;
  const std::function<void(bool)> on_waiting_;

  std::deque<OrderedCall> queue_;  ///< by index; all of ours below next_ that were not popped
  std::size_t bytes_ = 0;          ///< of the payloads in queue_
  Index next_ = 1;                 ///< the first index that is neither queued nor popped
  Index decided_ = 0;
  bool started_ = false;
  bool waiting_ = false;  ///< as last told

  /// A read under way holds a weak copy: a rewind or our end makes its answer void.
  std::shared_ptr<const bool> reading_;
  Timer retry_;
};

}  // namespace zap
