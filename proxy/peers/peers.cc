#include "proxy/peers/peers.h"

#include <algorithm>
#include <random>
#include <utility>

#include "consensus/wire/codec.h"
#include "core/check.h"
#include "core/limits.h"
#include "proxy/face/logging.h"
#include "proxy/net/listener.h"
#include "proxy/net/per_second.h"
#include "proxy/peers/gate.h"
#include "proxy/peers/peer_link.h"
#include "proxy/peers/strangers.h"

namespace zap {

namespace {

wire::Hello hello_of(const PeersSettings& settings) {
  wire::Hello hello;
  hello.cluster = settings.cluster;
  hello.node = settings.self;
  hello.epoch = settings.membership.epoch;
  hello.membership = settings.membership.digest();
  hello.agreed_configuration = settings.agreed_configuration;
  hello.methods_table = settings.methods_table;
  hello.software_version = settings.software_version;
  return hello;
}

/// Why two nodes that say this do not belong together; nothing where they do.
std::optional<std::string> difference(const wire::Hello& own, const wire::Hello& other) {
  if (other.protocol_version != own.protocol_version) {
    return "it speaks version " + std::to_string(other.protocol_version) +
           " of the peer protocol, this node version " + std::to_string(own.protocol_version);
  }
  if (other.cluster != own.cluster) {
    return "it belongs to cluster " + other.cluster + ", this node to " + own.cluster;
  }
  if (other.epoch == own.epoch && other.membership != own.membership) {
    return "its consensus.nodes differ from this node's: compare names, addresses and keys";
  }
  if (other.agreed_configuration != own.agreed_configuration) {
    return "its idempotency, compare, ignore, consensus.replies, leader_election or "
           "limits.response_bytes differ from this node's; they must be the same on all nodes";
  }
  return std::nullopt;
}

struct Peer {
  Member member;
  Address address;
  std::string host;                ///< where it was last, or should be
  std::unique_ptr<PeerLink> link;  ///< up, or being dialled
  std::unique_ptr<Timer> redial;   ///< where we are the one who dials
  Duration pause = limits::kRedialFirst;
  std::size_t failures = 0;  ///< of this link, at the gate
  Instant not_before{};      ///< the end of its penalty
  std::string trouble;       ///< the last that was logged: not said again while it lasts
  PeerStats stats;

  bool is_up() const { return link && link->is_up(); }
};

}  // namespace

class Peers::Impl : public PeerLink::Owner, public std::enable_shared_from_this<Peers::Impl> {
 public:
  Impl(EventLoop& loop, PeersSettings settings, TlsContext tls, PeersHandlers handlers);
  Result<void> start();

  void send(NodeId id, const MessagePtr& message);
  void send_frame(NodeId id, Bytes frame);

  const std::map<NodeId, Peer>& peers() const { return peers_; }
  std::uint64_t strangers_refused() const { return strangers_refused_; }
  const Address& address() const { return listener_->address(); }

 private:
  Result<NodeId> admit(const PeerLink& link, const std::optional<PublicKey>& key,
                       const wire::Hello& hello) override;
  void link_up(PeerLink& link) override;
  void frame_received(PeerLink& link, Bytes frame) override;
  void link_closed(PeerLink& link, const std::string& reason) override;

  void dial(Peer& peer);
  void redial_later(Peer& peer);
  void accept(Socket socket);
  void replace_link(Peer& peer, std::unique_ptr<PeerLink> link);
  void stranger_refused(const PeerLink& link, const std::string& reason);

  void passed(NodeId from, wire::PeerMessage message);
  void failed(NodeId from, const Error& error);

  void at_end_of_turn();
  void end_turn();

  EventLoop& loop_;
  const PeersSettings settings_;
  const TlsContext tls_;
  const PeersHandlers handlers_;
  const wire::Hello own_hello_;
  const Bytes own_hello_frame_;

  std::map<NodeId, Peer> peers_;  ///< all members but this node
  Strangers strangers_;
  std::vector<std::unique_ptr<PeerLink>> retired_;  ///< destroyed at the end of the turn
  std::unique_ptr<Listener> listener_;
  Gate gate_;
  std::minstd_rand jitter_{std::random_device()()};

  MessagePtr last_message_;  ///< and its bytes: the next peer is likely to get the same
  Bytes last_frame_;
  bool end_of_turn_due_ = false;

  std::uint64_t strangers_refused_ = 0;
  PerSecond refusals_logged_{limits::kRefusalsLogged};
};

Peers::Impl::Impl(EventLoop& loop, PeersSettings settings, TlsContext tls, PeersHandlers handlers)
    : loop_(loop),
      settings_(std::move(settings)),
      tls_(std::move(tls)),
      handlers_(std::move(handlers)),
      own_hello_(hello_of(settings_)),
      own_hello_frame_(wire::encode(own_hello_)),
      strangers_([this](const std::string& host) {
        return std::any_of(peers_.begin(), peers_.end(),
                           [&](const auto& entry) { return entry.second.host == host; });
      }),
      gate_(loop,
            {settings_.cluster, settings_.self, settings_.membership, settings_.fixed_leader,
             settings_.verification_threads},
            {.is_superfluous =
                 [this](const wire::PeerMessage& message) {
                   const Message* voted = std::get_if<Message>(&message);
                   return voted && handlers_.is_superfluous(*voted);
                 },
             .on_passed = [this](NodeId from, auto message) { passed(from, std::move(message)); },
             .on_failed = [this](NodeId from, const Error& error) { failed(from, error); },
             .on_room =
                 [this](NodeId from) {
                   const Peer& peer = peers_.at(from);
                   if (peer.is_up()) peer.link->resume_reading();
                 }}) {}

Result<void> Peers::Impl::start() {
  for (const Member& member : settings_.membership.members) {
    if (member.id == settings_.self) continue;
    Result<Address> address = parse_address(member.address);
    if (!address) return address.error();
    Peer& peer = peers_[member.id];
    peer.member = member;
    peer.address = std::move(*address);
    peer.host = peer.address.host;
  }
  auto listener =
      Listener::open(loop_, settings_.listen, [this](Socket socket) { accept(std::move(socket)); });
  if (!listener) return listener.error();
  listener_ = std::move(*listener);

  for (auto& [id, peer] : peers_) {
    if (settings_.self > id) continue;
    peer.redial = std::make_unique<Timer>(loop_, [this, &peer = peer] { dial(peer); });
    peer.redial->after(Duration(0));
  }
  return {};
}

// ---------------------------------------------------------------- links

void Peers::Impl::dial(Peer& peer) {
  if (peer.link) return;
  const auto make_stream = [&](StreamHandlers handlers) {
    return std::make_unique<Stream>(loop_, peer.address, std::move(handlers), tls_.session());
  };
  peer.link =
      std::make_unique<PeerLink>(loop_, *this, peer.member.id, make_stream, own_hello_frame_);
}

void Peers::Impl::redial_later(Peer& peer) {
  if (!peer.redial) return;
  const double share = 0.5 + 0.5 * std::generate_canonical<double, 32>(jitter_);
  const auto pause = std::chrono::duration_cast<Duration>(peer.pause * share);
  peer.redial->at(std::max(read_clocks().instant + pause, peer.not_before));
  peer.pause = std::min(peer.pause * 2, limits::kRedialMost);
}

void Peers::Impl::accept(Socket socket) {
  const auto make_stream = [&](StreamHandlers handlers) {
    return std::make_unique<Stream>(loop_, std::move(socket), std::move(handlers), tls_.session());
  };
  PeerLink* const one_too_many = strangers_.add(
      std::make_unique<PeerLink>(loop_, *this, std::nullopt, make_stream, own_hello_frame_));
  if (one_too_many) one_too_many->close("too many connections wait for their hello");
}

Result<NodeId> Peers::Impl::admit(const PeerLink& link, const std::optional<PublicKey>& key,
                                  const wire::Hello& hello) {
  const auto refused = [](std::string why) {
    return Error{ErrorCode::kUnauthorized, std::move(why)};
  };
  const auto& members = settings_.membership.members;
  const auto member = std::find_if(members.begin(), members.end(),
                                   [&](const Member& each) { return each.public_key == key; });
  if (member == members.end()) return refused("its certificate's key is no member's public_key");
  if (member->id == settings_.self) return refused("it shows this node's own certificate");
  if (link.peer() && *link.peer() != member->id) {
    return refused("it is " + member->name + ", where " +
                   settings_.membership.name_of(*link.peer()) + " should be");
  }
  if (hello.node != member->id) {
    return refused("it says that it is " + settings_.membership.name_of(hello.node) +
                   ", but its certificate is that of " + member->name);
  }
  if (auto why = difference(own_hello_, hello)) return refused(member->name + ": " + *why);
  if (peers_.at(member->id).not_before > read_clocks().instant) {
    return refused(member->name + " sent too much that was refused; it may try again in seconds");
  }
  if (hello.methods_table != own_hello_.methods_table) {
    log_warning("methods tables differ", {{"peer", member->name}});
  }
  return member->id;
}

void Peers::Impl::link_up(PeerLink& link) {
  Peer& peer = peers_.at(*link.peer());
  if (auto stranger = strangers_.take(link)) replace_link(peer, std::move(stranger));
  peer.host = link.remote_host();
  peer.failures = 0;
  peer.pause = limits::kRedialFirst;
  peer.trouble.clear();
  log_info("peer up", {{"peer", peer.member.name}, {"address", link.remote()}});
  handlers_.on_connected(peer.member.id);
}

/// The newer link counts: the peer itself has given the older one up, whatever we see of it.
void Peers::Impl::replace_link(Peer& peer, std::unique_ptr<PeerLink> link) {
  const bool was_up = peer.is_up();
  if (peer.link) {
    peer.link->abandon();
    retired_.push_back(std::move(peer.link));
    at_end_of_turn();
  }
  peer.link = std::move(link);
  if (was_up) handlers_.on_disconnected(peer.member.id);
}

void Peers::Impl::link_closed(PeerLink& link, const std::string& reason) {
  at_end_of_turn();
  if (auto stranger = strangers_.take(link)) {
    stranger_refused(link, reason);
    retired_.push_back(std::move(stranger));
    return;
  }
  Peer& peer = peers_.at(*link.peer());
  const bool was_up = link.was_up();
  if (was_up || peer.trouble != reason) {
    log_warning(was_up ? "peer down" : "peer not reached",
                {{"peer", peer.member.name}, {"address", link.remote()}, {"reason", reason}});
  }
  peer.trouble = reason;
  retired_.push_back(std::move(peer.link));
  redial_later(peer);
  if (was_up) handlers_.on_disconnected(peer.member.id);
}

void Peers::Impl::stranger_refused(const PeerLink& link, const std::string& reason) {
  ++strangers_refused_;
  if (!refusals_logged_.allows()) return;
  log_warning(
      "peer connection refused",
      {{"address", link.remote()}, {"reason", reason}, {"refused_so_far", strangers_refused_}});
}

// ---------------------------------------------------------------- what comes in

void Peers::Impl::frame_received(PeerLink& link, Bytes frame) {
  const NodeId id = *link.peer();
  PeerStats& stats = peers_.at(id).stats;
  ++stats.frames_received;
  stats.bytes_received += frame.size();
  gate_.submit(id, std::move(frame));
  if (gate_.full(id)) link.pause_reading();
}

void Peers::Impl::passed(NodeId from, wire::PeerMessage message) {
  if (auto* const consensus = std::get_if<Message>(&message)) {
    handlers_.on_message(from, std::make_shared<const Message>(std::move(*consensus)));
  } else if (const auto* const answers = std::get_if<wire::AnswerMessage>(&message)) {
    handlers_.on_answers(from, *answers);
  } else if (std::holds_alternative<wire::Hello>(message)) {
    failed(from, {ErrorCode::kInvalid, "a second hello"});
  }
}

void Peers::Impl::failed(NodeId from, const Error& error) {
  Peer& peer = peers_.at(from);
  if (error.code == ErrorCode::kUnavailable) {
    ++peer.stats.of_other_epochs;
    return;
  }
  ++peer.stats.refused;
  log_warning("message refused", {{"peer", peer.member.name}, {"reason", error.message}});
  if (!peer.is_up() || ++peer.failures < limits::kFailuresPerLink) return;
  peer.not_before = read_clocks().instant + limits::kPeerPenalty;
  gate_.forget(from);
  peer.link->close(std::to_string(peer.failures) + " of its messages were refused");
}

// ---------------------------------------------------------------- what goes out

void Peers::Impl::send(NodeId id, const MessagePtr& message) {
  if (message != last_message_) {
    last_frame_ = wire::encode(*message);
    last_message_ = message;
    at_end_of_turn();
  }
  send_frame(id, last_frame_);
}

void Peers::Impl::send_frame(NodeId id, Bytes frame) {
  const auto found = peers_.find(id);
  ZAP_CHECK(found != peers_.end(), "a message to node " << id << ", which is no peer");
  Peer& peer = found->second;
  if (frame.size() > limits::kFrameBytes) {
    log_error("message too large to send", {{"peer", peer.member.name}, {"bytes", frame.size()}});
  }
  if (!peer.is_up() || frame.size() > limits::kFrameBytes) {
    ++peer.stats.dropped;
    return;
  }
  ++peer.stats.frames_sent;
  peer.stats.bytes_sent += frame.size();
  peer.stats.dropped += peer.link->send(std::move(frame));
  at_end_of_turn();
}

void Peers::Impl::at_end_of_turn() {
  if (std::exchange(end_of_turn_due_, true)) return;
  loop_.at_end_of_turn([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->end_turn();
  });
}

void Peers::Impl::end_turn() {
  end_of_turn_due_ = false;
  last_message_.reset();
  last_frame_ = Bytes();
  for (auto& [id, peer] : peers_) {
    if (peer.is_up()) peer.link->flush();
  }
  retired_.clear();
}

// ---------------------------------------------------------------- the door

Result<std::unique_ptr<Peers>> Peers::open(EventLoop& loop, PeersSettings settings, TlsContext tls,
                                           PeersHandlers handlers) {
  auto impl =
      std::make_shared<Impl>(loop, std::move(settings), std::move(tls), std::move(handlers));
  if (Result<void> started = impl->start(); !started) return started.error();
  return std::unique_ptr<Peers>(new Peers(std::move(impl)));
}

Peers::Peers(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Peers::~Peers() = default;

void Peers::send(NodeId peer, const MessagePtr& message) { impl_->send(peer, message); }

void Peers::send(NodeId peer, const wire::AnswerMessage& message) {
  impl_->send_frame(peer, wire::encode(message));
}

bool Peers::is_connected(NodeId peer) const {
  const auto found = impl_->peers().find(peer);
  return found != impl_->peers().end() && found->second.is_up();
}

std::size_t Peers::connected_count() const {
  return static_cast<std::size_t>(
      std::count_if(impl_->peers().begin(), impl_->peers().end(),
                    [](const auto& entry) { return entry.second.is_up(); }));
}

PeerStats Peers::stats(NodeId peer) const {
  const auto found = impl_->peers().find(peer);
  if (found == impl_->peers().end()) return {};
  PeerStats stats = found->second.stats;
  stats.connected = found->second.is_up();
  if (found->second.link) stats.outbox_bytes = found->second.link->outbox_bytes();
  return stats;
}

std::uint64_t Peers::strangers_refused() const { return impl_->strangers_refused(); }
const Address& Peers::address() const { return impl_->address(); }

}  // namespace zap
