// proxy/peers/peer_link.h - one connection to a peer: TLS, hello, frames.
//
// A frame is its length (4 bytes, little-endian) and a message of consensus/wire. The first in each
// direction is a hello; both sides send theirs right after the handshake. Until the other's has
// arrived and is admitted, nothing counts: under TLS 1.3 a client is connected before the server
// has looked at its certificate.
//
// Threads: lives on the main loop. Its owner does not destroy it while it calls.

#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "consensus/wire/peer_messages.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/stream.h"
#include "proxy/net/tls.h"

namespace zap {

class PeerLink {
 public:
  /// Who makes links and hears of them.
  class Owner {
   public:
    virtual ~Owner() = default;
    /// The other side proved to hold `key` and says `hello`: who is it, or why is it refused?
    virtual Result<NodeId> admit(const PeerLink& link, const std::optional<PublicKey>& key,
                                 const wire::Hello& hello) = 0;
    virtual void link_up(PeerLink& link) = 0;
    virtual void frame_received(PeerLink& link, Bytes frame) = 0;
    /// The link is over, and calls nobody any more.
    virtual void link_closed(PeerLink& link, const std::string& reason) = 0;
  };
  /// Dials, or takes over what was accepted.
  using MakeStream = std::function<std::unique_ptr<Stream>(StreamHandlers handlers)>;

  /// `expected` is who was dialled; nobody in particular where the link was accepted.
  PeerLink(EventLoop& loop, Owner& owner, std::optional<NodeId> expected,
           const MakeStream& make_stream, Bytes own_hello);
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  bool is_up() const { return up_ && !over_; }
  /// It may be over by now.
  bool was_up() const { return up_; }
  /// Who was dialled, or who was admitted.
  std::optional<NodeId> peer() const { return peer_; }
  const std::string& remote() const { return stream_->remote(); }
  std::string remote_host() const { return stream_->remote_host(); }
  Handshake handshake() const { return handshake_of(stream_->tls()); }

  /// Queues a frame until flush(). Answers how many of the oldest were dropped for it, since the
  /// other side takes nothing.
  std::size_t send(Bytes frame);
  /// Hands what is queued to the stream, as far as that has room.
  void flush();
  std::size_t outbox_bytes() const { return queued_bytes_ + stream_->output_size(); }

  void pause_reading();
  void resume_reading();

  /// Ends the link; link_closed is called from within.
  void close(const std::string& reason);
  /// Ends the link without a word to its owner.
  void abandon() { over_ = true; }

 private:
  void readable();
  void first_frame(Bytes frame);
  void keep_alive();

  Owner& owner_;
  std::optional<NodeId> peer_;
  const Bytes own_hello_;
  std::unique_ptr<Stream> stream_;
  Timer hello_timer_;
  Timer ping_timer_;

  bool up_ = false;
  bool over_ = false;
  bool paused_ = false;
  bool sent_since_ping_ = false;
  std::deque<Bytes> queued_;  ///< oldest first
  std::size_t queued_bytes_ = 0;
};

}  // namespace zap
