#include "proxy/peers/peer_link.h"

#include <array>
#include <utility>

#include "consensus/wire/codec.h"
#include "core/limits.h"

namespace zap {

namespace {

constexpr std::size_t kHeaderBytes = 4;
/// So much is handed to the stream; what is beyond waits here, where it can still be dropped.
constexpr std::size_t kStreamBytes = 4u << 20;
/// Smaller frames are copied together, so that a turn's burst is one write and few TLS records.
constexpr std::size_t kCopyBelow = 16u << 10;
constexpr std::size_t kChunkBytes = 64u << 10;

std::array<char, kHeaderBytes> header_of(std::size_t size) {
  std::array<char, kHeaderBytes> header;
  for (std::size_t i = 0; i < kHeaderBytes; ++i) header[i] = static_cast<char>(size >> (8 * i));
  return header;
}

std::size_t size_in(std::string_view header) {
  std::size_t size = 0;
  for (std::size_t i = kHeaderBytes; i-- > 0;) {
    size = size << 8 | static_cast<unsigned char>(header[i]);
  }
  return size;
}

}  // namespace

PeerLink::PeerLink(EventLoop& loop, Owner& owner, std::optional<NodeId> expected,
                   const MakeStream& make_stream, Bytes own_hello)
    : owner_(owner),
      peer_(expected),
      own_hello_(std::move(own_hello)),
      hello_timer_(loop, [this] { close("it said no hello in time"); }),
      ping_timer_(loop, [this] { keep_alive(); }) {
  StreamHandlers stream_handlers;
  stream_handlers.on_open = [this] {
    send(own_hello_);
    flush();
  };
  stream_handlers.on_readable = [this] { readable(); };
  stream_handlers.on_drained = [this] { flush(); };
  stream_handlers.on_closed = [this](const std::string& reason) {
    close(reason.empty() ? "it closed the connection" : reason);
  };
  stream_ = make_stream(std::move(stream_handlers));
  stream_->set_drained_at(kStreamBytes / 2);
  hello_timer_.after(limits::kHelloTime);
}

void PeerLink::readable() {
  while (!over_ && !paused_ && stream_->readable() >= kHeaderBytes) {
    const std::size_t size = size_in(stream_->peek(kHeaderBytes));
    const std::size_t most = up_ ? limits::kFrameBytes : limits::kHelloFrameBytes;
    if (size > most) {
      return close("it announces a frame of " + std::to_string(size) + " bytes; the limit is " +
                   std::to_string(most));
    }
    if (stream_->readable() < kHeaderBytes + size) return;
    stream_->drop(kHeaderBytes);
    Bytes frame = stream_->take(size);
    if (up_) {
      owner_.frame_received(*this, std::move(frame));
    } else {
      first_frame(std::move(frame));
    }
  }
}

void PeerLink::first_frame(Bytes frame) {
  const Result<wire::PeerMessage> message = wire::decode(std::move(frame));
  if (!message) return close(message.error().message);
  const auto* const hello = std::get_if<wire::Hello>(&*message);
  if (!hello) return close("its first message is not a hello");
  const Result<NodeId> admitted = owner_.admit(*this, peer_key(stream_->tls()), *hello);
  if (!admitted) return close(admitted.error().message);
  peer_ = *admitted;
  up_ = true;
  hello_timer_.cancel();
  ping_timer_.after(limits::kPingTime);
  stream_->set_idle_timeout(limits::kPeerSilence);
  owner_.link_up(*this);
}

std::size_t PeerLink::send(Bytes frame) {
  sent_since_ping_ = true;
  queued_bytes_ += frame.size();
  queued_.push_back(std::move(frame));
  std::size_t dropped = 0;
  while (queued_bytes_ > limits::kOutboxBytes) {
    queued_bytes_ -= queued_.front().size();
    queued_.pop_front();
    ++dropped;
  }
  return dropped;
}

void PeerLink::flush() {
  if (over_) return;
  std::string chunk;
  const auto write_chunk = [&] {
    if (!chunk.empty()) stream_->write(Bytes(std::exchange(chunk, {})));
  };
  while (!queued_.empty() && stream_->output_size() + chunk.size() < kStreamBytes) {
    const Bytes frame = std::move(queued_.front());
    queued_.pop_front();
    queued_bytes_ -= frame.size();
    const auto header = header_of(frame.size());
    chunk.append(header.data(), header.size());
    if (frame.size() < kCopyBelow) {
      chunk.append(frame.view());
    } else {
      write_chunk();
      stream_->write(frame);
    }
    if (chunk.size() >= kChunkBytes) write_chunk();
  }
  write_chunk();
}

void PeerLink::keep_alive() {
  if (!std::exchange(sent_since_ping_, false)) {
    send(wire::encode(wire::Ping{}));
    flush();
    sent_since_ping_ = false;
  }
  ping_timer_.after(limits::kPingTime);
}

void PeerLink::pause_reading() {
  paused_ = true;
  stream_->pause_reading();
}

void PeerLink::resume_reading() {
  paused_ = false;
  stream_->resume_reading();
  readable();
}

void PeerLink::close(const std::string& reason) {
  if (std::exchange(over_, true)) return;
  hello_timer_.cancel();
  ping_timer_.cancel();
  stream_->pause_reading();
  owner_.link_closed(*this, reason);
}

}  // namespace zap
