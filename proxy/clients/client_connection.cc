#include "proxy/clients/client_connection.h"

#include <algorithm>
#include <string>
#include <utility>

namespace zap {

namespace {

ClientSettings with_peer_address(ClientSettings settings, const Stream& stream) {
  settings.peer_address = stream.remote_host();
  return settings;
}

/// Moves one connection's share in a sum.
void recount(std::size_t& sum, std::size_t& share, std::size_t now) {
  sum = sum - share + now;
  share = now;
}

}  // namespace

ClientConnection::ClientConnection(EventLoop& loop, Socket socket, const Protocol& protocol,
                                   ClientSettings settings, const ClientTimes& times,
                                   ClientLoad& load, ClientConnectionOwner& owner, bool admitted)
    : times_(times),
      load_(load),
      owner_(owner),
      admitted_(admitted),
      stream_(loop, std::move(socket),
              {.on_readable = [this] { read(); },
               .on_drained =
                   [this] {
                     count_load();
                     adjust_reading();
                   },
               .on_closed = [this](const std::string&) { owner_.closed(*this); }}),
      session_(protocol.client_session(with_peer_address(std::move(settings), stream_))),
      deadline_(loop, [this] { out_of_time(); }) {
  stream_.set_input_limit(limits::kClientInputBytes);
  stream_.set_drained_at(limits::kClientOutputBytes / 2);
  stream_.set_idle_timeout(times_.idle);
  stream_.set_stuck_timeout(times_.stuck);
  if (!admitted_) deadline_.after(limits::kRefusedClientTime);
}

ClientConnection::~ClientConnection() {
  recount(load_.unfinished_bytes, counted_unfinished_, 0);
  recount(load_.output_bytes, counted_output_, 0);
}

// ---------------------------------------------------------------- what comes in

void ClientConnection::read() {
  std::string_view rest = stream_.peek(stream_.readable());
  const std::size_t size = rest.size();
  bool call_completed = false;
  while (takes_calls()) {
    auto call = session_->feed(rest, output_);
    if (!call) break;
    call_completed = true;
    if (admitted_) {
      owner_.called(*this, std::move(*call));
    } else {
      refuse(call->sequence,
             {.code = ProxyErrorCode::kOverloaded,
              .message = "as many clients are connected as " + std::string(load_.who_bounds) +
                         ", " + std::to_string(load_.connections_most) +
                         "; connect later or to another node"});
      closing_ = true;
    }
  }
  stream_.drop(size - rest.size());
  watch_the_clock(call_completed);
  count_load();
  if (counted_unfinished_ > 0 && load_.unfinished_bytes > load_.unfinished_most) {
    give_up(ProxyErrorCode::kOverloaded, "calls of " + std::to_string(load_.unfinished_bytes) +
                                             " bytes are arriving here; limits.queue_bytes is " +
                                             std::to_string(load_.unfinished_most));
  }
  output_changed();
}

bool ClientConnection::takes_calls() const {
  const std::size_t waiting = session_->pending();
  const std::size_t to_come = waiting * answer_size_;
  return !paused_ && !closing_ && waiting < limits::kClientCalls &&
         output_bytes() + to_come < limits::kClientOutputBytes;
}

/// A byte now and then does not keep a call arriving for ever. One that waits because we do not
/// read on is given its time again.
void ClientConnection::watch_the_clock(bool call_completed) {
  if (!admitted_) return;
  const bool arriving = session_->unfinished_bytes() > 0;
  if (call_completed || !arriving) deadline_.cancel();
  if (arriving && !deadline_.pending()) deadline_.after(times_.request);
}

void ClientConnection::out_of_time() {
  if (!admitted_) return owner_.closed(*this);
  if (!reading_) return deadline_.after(times_.request);
  give_up(ProxyErrorCode::kMalformed,
          "the request did not arrive whole within limits.request_timeout");
}

void ClientConnection::give_up(ProxyErrorCode code, std::string message) {
  session_->give_up({.code = code, .message = std::move(message)}, output_);
  output_changed();
}

// ---------------------------------------------------------------- what goes out

void ClientConnection::answer(std::uint64_t sequence, const Answer& answer) {
  answer_size_ = std::max(answer.payload.size(), answer_size_ / 2);
  session_->answer(sequence, answer, output_);
  output_changed();
}

void ClientConnection::refuse(std::uint64_t sequence, const ProxyError& error) {
  session_->refuse(sequence, error, output_);
  output_changed();
}

void ClientConnection::output_changed() {
  count_load();
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

std::size_t ClientConnection::output_bytes() const {
  return stream_.output_size() + output_.size() + session_->held_back_bytes();
}

void ClientConnection::count_load() {
  recount(load_.unfinished_bytes, counted_unfinished_, session_->unfinished_bytes());
  recount(load_.output_bytes, counted_output_, output_bytes());
}

// ---------------------------------------------------------------- reading, or not

void ClientConnection::pause(bool paused) {
  paused_ = paused;
  adjust_reading();
}

void ClientConnection::adjust_reading() {
  const bool read = takes_calls();
  if (read == std::exchange(reading_, read)) return;
  if (read) {
    stream_.resume_reading();
  } else {
    stream_.pause_reading();
  }
}

}  // namespace zap
