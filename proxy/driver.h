// proxy/driver.h - Input in, Outputs out: the order of effects, in one place.
//
// The driver steps the engine and carries out what it answers, always in the same order: records
// to the log; what may leave at once; what must wait for durability, held until the log says so,
// then signed, sent, and (where it names this node) handed back to the engine; decisions, in
// order; notices; one timer. The real process and the simulator run this same code, over
// different ports.
//
// Threads: lives on the main loop; every call, those of its ports' completions too, comes from it.

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "consensus/engine.h"

namespace zap {

/// A place in the log: counts records appended since the process started.
using LogPosition = std::uint64_t;

/// What the driver needs of the world. One object a port in the process (store, peers, signer,
/// applier, loop), all of them simulated in the simulator.
class DriverPorts {
 public:
  virtual ~DriverPorts() = default;

  /// Appends; durable some time later, at the latest with the next sync_log.
  virtual void append_to_log(std::vector<Record> records) = 0;
  /// Asks that everything appended so far becomes durable; Driver::log_is_durable answers.
  virtual void sync_log() = 0;
  /// Fills in every signature that this node owes to `message`.
  virtual void sign(Message& message) = 0;
  /// Queues for a peer; what cannot be sent may be dropped (status exchange repairs).
  virtual void send(NodeId peer, const MessagePtr& message) = 0;
  /// Reads decided slots back and sends them; nothing where they are not in the log.
  virtual void serve_from_log(const Serve& request) = 0;
  virtual void decided(const Decision& decision) = 0;
  virtual void notice(const Notice& notice) = 0;
  /// Replaces the timer before: call Driver::step(Tick{}) at this time or soon after.
  virtual void wake_at(Instant when) = 0;
  virtual Now now() = 0;
};

class Driver {
 public:
  /// `appended`: records that the log has got for this run before the driver, not yet durable.
  Driver(NodeId self, Engine& engine, DriverPorts& ports, LogPosition appended = 0);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// Steps the engine and carries out its outputs, and those of every message to itself.
  void step(Input input);

  /// Every record up to `position` is durable: lets go what waited for it.
  void log_is_durable(LogPosition position);

  /// Records appended so far: what a sync asked for now will cover.
  LogPosition appended() const { return appended_; }

 private:
  struct Held {
    LogPosition until;
    std::vector<Send> sends;
  };

  void carry_out(Outputs outputs);
  void release(std::vector<Send> sends);
  void drain();

  const NodeId self_;
  Engine& engine_;
  DriverPorts& ports_;

  std::deque<Input> inbox_;  ///< what is still to be stepped, in order
  bool draining_ = false;    ///< step() inside step() only queues

  LogPosition appended_;
  LogPosition durable_ = 0;
  std::deque<Held> held_;  ///< by position
};

}  // namespace zap
