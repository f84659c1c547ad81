// proxy/clients/client_listener.h - one configured listener: accepts clients and keeps their
// connections.
//
// Calls go to whoever was named at its opening; what is to be written to all clients leaves once
// at the end of a loop turn. Where clients together leave too much of it lying, the worst is
// closed.
//
// Threads: lives on one loop.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

#include "adapters/adapter.h"
#include "core/result.h"
#include "proxy/clients/client_connection.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/listener.h"

namespace zap {

class ClientListener final : public ClientConnectionOwner {
 public:
  using OnCall = std::function<void(const std::shared_ptr<Client>&, ClientCall)>;

  /// `protocol` and `load` outlive it.
  ClientListener(EventLoop& loop, const Protocol& protocol, ClientSettings settings,
                 ClientTimes times, ClientLoad& load, OnCall on_call);
  ~ClientListener() override;
  ClientListener(const ClientListener&) = delete;
  ClientListener& operator=(const ClientListener&) = delete;

  /// Accepts from now on.
  Result<void> open(const Address& address);
  /// Accepts nobody any more; open connections stay.
  void stop_accepting();
  /// While true, nothing is read from any client.
  void pause(bool paused);

  /// Where it listens, with the port that it got. Only while open.
  const Address& address() const { return listener_->address(); }

 private:
  void accept(Socket socket);
  void called(ClientConnection& connection, ClientCall call) override;
  void has_output(ClientConnection& connection) override;
  void closed(ClientConnection& connection) override;
  void flush_all();
  void close_the_slowest();

  EventLoop& loop_;
  const Protocol& protocol_;
  const ClientSettings settings_;
  const ClientTimes times_;
  ClientLoad& load_;
  const OnCall on_call_;

  std::unordered_set<std::shared_ptr<ClientConnection>> connections_;
  std::vector<std::shared_ptr<ClientConnection>> with_output_;  ///< of this turn
  bool paused_ = false;
  std::unique_ptr<Listener> listener_;
};

}  // namespace zap
