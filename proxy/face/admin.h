// proxy/face/admin.h - the admin address: metrics, health, status and the dashboard, over HTTP.
//
//   GET /metrics /livez /readyz /status /evidence /op/{id} /
//
// Reading is open to whoever reaches the address; nothing here changes anything. A Host header
// that names neither this address nor an IP literal is refused, so that a web page cannot reach
// the server through a name of its own (DNS rebinding). /livez depends on nothing. Who asks is a
// client like others, with the same parser, bounds and times, but of a listener of its own.
//
// Threads: lives on the main loop; the pages are made there, when asked for.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/address.h"
#include "core/result.h"
#include "proxy/face/status.h"
#include "proxy/net/event_loop.h"

namespace zap {

/// Where the pages come from.
struct AdminPages {
  std::function<std::string()> metrics;
  std::function<NodeStatus()> status;
  std::function<std::string()> evidence;
  /// The error's message is for whoever asked.
  std::function<Result<OperationStatus>(std::string_view id)> operation;
};

/// Whether a Host header is one of ours: an IP literal, "localhost", or the configured host.
bool is_own_host(std::string_view host_header, const Address& own);

class AdminServer {
 public:
  static Result<std::unique_ptr<AdminServer>> open(EventLoop& loop, const Address& address,
                                                   AdminPages pages);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  /// Where it listens, with the port that it got.
  const Address& address() const;

 private:
  struct Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The page at "/": one file without anything from elsewhere, fed by /status.
std::string_view dashboard_html();

}  // namespace zap
