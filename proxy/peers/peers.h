// proxy/peers/peers.h - the links to the other members: who is connected, what goes out, what comes
// in.
//
// There is one link for each pair of nodes: the one with the lower id dials, again and again until
// it is up. A link is up once both have said hello over mutual TLS and agree on who they are, which
// cluster this is and what must be configured alike; whoever does not is refused with one line in
// the log. What arrives passes the gate (proxy/peers/gate.h) before anyone sees it.
//
// Sending never blocks. What a turn sends to one peer leaves in one write. A peer that takes
// nothing loses the oldest of what waits for it, and a peer that is not there all of it: the status
// exchange of the protocol repairs both.
//
// Threads: lives on the main loop.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "consensus/engine.h"
#include "consensus/wire/peer_messages.h"
#include "core/address.h"
#include "core/membership.h"
#include "core/result.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/tls.h"

namespace zap {

struct PeersSettings {
  ClusterId cluster;
  NodeId self = 0;
  Membership membership;
  std::optional<NodeId> fixed_leader;
  Address listen;
  Digest agreed_configuration;  ///< what all nodes must have configured alike
  Digest methods_table;         ///< what they may differ in, but hardly should
  std::string software_version;
  unsigned verification_threads = 1;
};

struct PeersHandlers {
  std::function<bool(const Message& message)> is_superfluous;       ///< Engine::is_superfluous
  std::function<void(NodeId from, MessagePtr message)> on_message;  ///< verified
  std::function<void(NodeId from, const wire::AnswerMessage& message)> on_answers;
  std::function<void(NodeId peer)> on_connected;
  std::function<void(NodeId peer)> on_disconnected;
};

struct PeerStats {
  bool connected = false;
  std::uint64_t frames_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t dropped = 0;          ///< frames not sent: no link, or a full outbox
  std::uint64_t refused = 0;          ///< frames that failed the gate
  std::uint64_t of_other_epochs = 0;  ///< frames that another epoch's members may judge
  std::size_t outbox_bytes = 0;
};

class Peers {
 public:
  /// Listens and starts to dial. An error where the address is taken.
  static Result<std::unique_ptr<Peers>> open(EventLoop& loop, PeersSettings settings,
                                             TlsContext tls, PeersHandlers handlers);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// The same message to several peers in a row is encoded once.
  void send(NodeId peer, const MessagePtr& message);
  void send(NodeId peer, const wire::AnswerMessage& message);

  bool is_connected(NodeId peer) const;
  std::size_t connected_count() const;
  PeerStats stats(NodeId peer) const;
  /// Connections refused before they were anybody's: strangers, wrong certificates or clusters.
  std::uint64_t strangers_refused() const;
  /// Where it listens, with the port that it got.
  const Address& address() const;

 private:
  class Impl;
  explicit Peers(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace zap
