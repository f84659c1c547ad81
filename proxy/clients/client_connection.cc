#include "proxy/clients/client_connection.h"

#include <utility>

#include "core/limits.h"

namespace zap {

namespace {

/// "127.0.0.1" of "127.0.0.1:40404", "::1" of "[::1]:40404"; nothing for a Unix socket.
std::string host_of(const std::string& remote) {
  const std::size_t colon = remote.rfind(':');
  if (colon == std::string::npos) return {};
  const bool bracketed = remote.front() == '[';
  return bracketed ? remote.substr(1, colon - 2) : remote.substr(0, colon);
}

ClientSettings with_peer_address(ClientSettings settings, const Stream& stream) {
  settings.peer_address = host_of(stream.remote());
  return settings;
}

}  // namespace

ClientConnection::ClientConnection(EventLoop& loop, Socket socket, const Protocol& protocol,
                                   ClientSettings settings, ClientConnectionOwner& owner,
                                   bool admitted)
    : owner_(owner),
      admitted_(admitted),
      stream_(loop, std::move(socket),
              {.on_readable = [this] { read(); },
               .on_drained = [this] { adjust_reading(); },
               .on_closed = [this](const std::string&) { owner_.closed(*this); }}),
      session_(protocol.client_session(with_peer_address(std::move(settings), stream_))) {
  stream_.set_input_limit(limits::kClientInputBytes);
  stream_.set_drained_at(limits::kClientOutputBytes / 2);
}

void ClientConnection::read() {
  if (closing_) return stream_.drop(stream_.readable());
  const std::size_t size = stream_.readable();
  std::vector<ClientCall> calls = session_->feed(stream_.peek(size), output_);
  stream_.drop(size);
  for (ClientCall& call : calls) {
    if (admitted_) {
      owner_.called(*this, std::move(call));
    } else {
      refuse(call.sequence, {.code = ProxyErrorCode::kOverloaded,
                             .message = "this sidecar has as many clients as limits.connections "
                                        "allows; connect later or to another node"});
      closing_ = true;
    }
  }
  output_changed();
}

void ClientConnection::answer(std::uint64_t sequence, const Answer& answer) {
  session_->answer(sequence, answer, output_);
  output_changed();
}

void ClientConnection::refuse(std::uint64_t sequence, const ProxyError& error) {
  session_->refuse(sequence, error, output_);
  output_changed();
}

void ClientConnection::output_changed() {
  const bool nothing_to_do = output_.empty() && !session_->finished() && !closing_;
  if (nothing_to_do || std::exchange(announced_, true)) return adjust_reading();
  owner_.has_output(*this);
}

void ClientConnection::flush() {
  announced_ = false;
  for (Bytes& piece : output_.take()) stream_.write(std::move(piece));
  if (closing_ || session_->finished()) {
    closing_ = true;
    stream_.close_when_sent();
  } else {
    adjust_reading();
  }
}

void ClientConnection::pause(bool paused) {
  paused_ = paused;
  adjust_reading();
}

void ClientConnection::adjust_reading() {
  const bool full = session_->pending() >= limits::kClientCalls ||
                    stream_.output_size() + output_.size() >= limits::kClientOutputBytes;
  const bool read = !paused_ && !full;
  if (read == std::exchange(reading_, read)) return;
  if (read) {
    stream_.resume_reading();
  } else {
    stream_.pause_reading();
  }
}

}  // namespace zap
