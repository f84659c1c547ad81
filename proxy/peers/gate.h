// proxy/peers/gate.h - between a peer's bytes and the engine: nothing passes that is not whole and
// true.
//
// A frame is decoded, checked against itself, and every signature in it is verified, on threads
// that do nothing else. What fails is reported with its sender and goes no further: it costs its
// sender only. One peer's messages pass in the order in which they came; a peer that sends much
// does not delay another. A small message is done at once while nothing else is waiting: two
// changes of thread would cost more than its signature.
//
// Threads: a Gate lives on its loop; workers are its own and touch nothing but their jobs.

#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "consensus/wire/peer_messages.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/membership.h"
#include "core/result.h"
#include "proxy/net/event_loop.h"

namespace zap {

struct GateSettings {
  ClusterId cluster;
  NodeId self = 0;
  Membership membership;
  std::optional<NodeId> fixed_leader;
  unsigned threads = 1;
};

struct GateHandlers {
  /// Whether a message can change nothing any more: then its signatures are not verified, and
  /// on_passed does not hear of it.
  std::function<bool(const wire::PeerMessage& message)> is_superfluous;
  std::function<void(NodeId from, wire::PeerMessage message)> on_passed;
  /// kUnavailable: of another epoch, dropped but nobody's fault.
  std::function<void(NodeId from, const Error& error)> on_failed;
  /// A peer that was full() has room again.
  std::function<void(NodeId from)> on_room;
};

class Gate {
 public:
  Gate(EventLoop& loop, const GateSettings& settings, GateHandlers handlers);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Takes the frame in any case; on_passed may be called from within. `from` is a member.
  void submit(NodeId from, Bytes frame);

  /// So much of this peer waits that no more should be read of it.
  bool full(NodeId from) const;

  /// Drops what waits of this peer.
  void forget(NodeId from);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace zap
