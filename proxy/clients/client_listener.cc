#include "proxy/clients/client_listener.h"

#include <utility>

#include "core/limits.h"

namespace zap {

ClientListener::ClientListener(EventLoop& loop, const Protocol& protocol, ClientSettings settings,
                               Duration idle_timeout, ClientCount& count, OnCall on_call)
    : loop_(loop),
      protocol_(protocol),
      settings_(std::move(settings)),
      idle_timeout_(idle_timeout),
      count_(count),
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
  const bool admitted = count_.open < count_.limit;
  if (!admitted) ++count_.refused;
  if (count_.open >= count_.limit + limits::kRefusedClients) return;  // closes the socket
  ++count_.open;

  auto connection = std::make_shared<ClientConnection>(loop_, std::move(socket), protocol_,
                                                       settings_, *this, admitted);
  connection->set_idle_timeout(admitted ? idle_timeout_ : limits::kRefusedClientTime);
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
}

void ClientListener::closed(ClientConnection& connection) {
  --count_.open;
  connections_.erase(connection.shared_from_this());
}

}  // namespace zap
