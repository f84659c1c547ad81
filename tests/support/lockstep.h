// tests/support/lockstep.h - a few replicas in one thread, their messages delivered by hand.
//
// For tests that read like a sentence: every message waits in one queue, in the order of sending,
// until the test delivers or drops it. Logs are durable at once, time moves only when told,
// signatures are blank: nothing here lies. The simulator, with faults, gate and checkers, is
// tests/simulation.

#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "consensus/pbft/replica.h"
#include "proxy/driver.h"

namespace zap::test {

struct InFlight {
  NodeId from;
  NodeId to;
  MessagePtr message;
};
using Filter = std::function<bool(const InFlight&)>;  ///< true: the message is lost

template <typename Kind>
bool is(const InFlight& message) {
  return std::holds_alternative<Kind>(*message.message);
}

class Lockstep {
 public:
  explicit Lockstep(std::uint32_t n, pbft::Settings settings = {}, pbft::Policy policy = {});
  ~Lockstep();

  /// Submits one call at `node`.
  void submit(NodeId node, const std::string& payload);
  /// The application behind `node` has fallen behind, or has room again.
  void backlog(NodeId node, bool full);
  /// Puts a message in flight that nobody sent: what a liar might say.
  void forge(NodeId from, NodeId to, Message message);
  /// Delivers everything in flight, and all that it causes.
  void deliver(const Filter& lose = {});
  /// Moves the clocks of all replicas on in small steps, delivering after each.
  void pass(Duration time, const Filter& lose = {});
  /// The process ends; its log stays.
  void stop(NodeId node);
  /// Starts again from its log, of which the last `forgotten` records are gone.
  void start(NodeId node, std::size_t forgotten = 0);

  /// Payloads applied at `node`, those replayed at its start among them, joined by spaces.
  std::string applied(NodeId node) const;
  Engine& engine(NodeId node);
  EngineState state(NodeId node) { return engine(node).state(); }
  const std::vector<Notice>& notices(NodeId node) const;
  std::vector<Record>& log(NodeId node);
  /// What was sent to others since the last call, one line each: "0>1 PREPARE v0 s1 1a2b".
  std::vector<std::string> sent();

 private:
  class Node;

  pbft::Settings settings_;
  const pbft::Policy policy_;
  Now now_;
  std::deque<InFlight> in_flight_;
  std::vector<std::string> sent_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace zap::test
