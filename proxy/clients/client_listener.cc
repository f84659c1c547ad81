#include "proxy/clients/client_listener.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "proxy/face/logging.h"

namespace zap {

ClientListener::ClientListener(EventLoop& loop, const Protocol& protocol, ClientSettings settings,
                               ClientTimes times, ClientLoad& load, OnCall on_call)
    : loop_(loop),
      protocol_(protocol),
      settings_(std::move(settings)),
      times_(times),
      load_(load),
      on_call_(std::move(on_call)) {}

ClientListener::~ClientListener() = default;

Result<void> ClientListener::open(const Address& address) {
  auto opened =
      Listener::open(loop_, address, [this](Socket socket) { accept(std::move(socket)); });
  if (!opened) return opened.error();
  listener_ = std::move(*opened);
  return {};
}

void ClientListener::stop_accepting() { listener_.reset(); }

void ClientListener::pause(bool paused) {
  paused_ = paused;
  for (const auto& connection : connections_) connection->pause(paused);
}

void ClientListener::accept(Socket socket) {
  const bool admitted = load_.connections < load_.connections_most;
  if (!admitted) ++load_.refused;
  if (load_.connections >= load_.connections_most + limits::kRefusedClients) return;  // closes it
  ++load_.connections;

  auto connection = std::make_shared<ClientConnection>(loop_, std::move(socket), protocol_,
                                                       settings_, times_, load_, *this, admitted);
  if (paused_) connection->pause(true);
  connections_.insert(std::move(connection));
}

void ClientListener::called(ClientConnection& connection, ClientCall call) {
  on_call_(connection.shared_from_this(), std::move(call));
}

void ClientListener::has_output(ClientConnection& connection) {
  if (with_output_.empty()) loop_.at_end_of_turn([this] { flush_all(); });
  with_output_.push_back(connection.shared_from_this());
}

void ClientListener::flush_all() {
  for (const auto& connection : std::exchange(with_output_, {})) connection->flush();
  if (load_.output_bytes > limits::kAllClientsOutputBytes) close_the_slowest();
}

void ClientListener::close_the_slowest() {
  for (const auto& connection : connections_) connection->count_load();
  while (load_.output_bytes > limits::kAllClientsOutputBytes && !connections_.empty()) {
    const auto slowest =
        *std::max_element(connections_.begin(), connections_.end(),
                          [](auto& a, auto& b) { return a->output_bytes() < b->output_bytes(); });
    const std::size_t fair_share = limits::kAllClientsOutputBytes / load_.connections;
    if (slowest->output_bytes() <= fair_share) return;  // another listener's clients are worse
    log_warning("client closed: it does not take its answers",
                {{"address", slowest->remote()}, {"bytes", slowest->output_bytes()}});
    closed(*slowest);
  }
}

void ClientListener::closed(ClientConnection& connection) {
  --load_.connections;
  connections_.erase(connection.shared_from_this());
}

}  // namespace zap
