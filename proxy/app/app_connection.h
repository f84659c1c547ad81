// proxy/app/app_connection.h - one connection to an application, which knows whose it is.
//
// Opens, learns which run of the application is at the other end (app_identity.h, the supervised
// child, or app.instance), and then carries calls there and replies back, in order. A run is
// looked up before connecting and after, and must be the same: the connection belongs to it.
//
// Threads: its loop's. Callbacks never come from within a call here; destroying the connection
// inside its own callbacks is fine.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/adapter.h"
#include "core/address.h"
#include "proxy/app/app_probe.h"
#include "proxy/net/stream.h"

namespace zap {

/// How an application is reached and known. Outlives its connections.
struct AppEndpoint {
  Address address;
  const Protocol& protocol;
  AppSettings settings;
  std::optional<std::string> instance;  ///< app.instance
  std::function<std::string()>
      supervised_run;  ///< the child's, empty while none runs; unset where it is not ours
};

class AppConnection {
 public:
  struct Handlers {
    std::function<void()> on_open;  ///< run() is known, calls may be delivered
    std::function<void(AppReply)> on_reply;
    /// Over; what is in flight was not answered. `reason` is empty where the application closed
    /// in order, with nothing in flight. Nothing else will be called.
    std::function<void(const std::string& reason)> on_closed;
  };

  AppConnection(EventLoop& loop, const AppEndpoint& endpoint, Handlers handlers);
  AppConnection(const AppConnection&) = delete;
  AppConnection& operator=(const AppConnection&) = delete;

  /// Another call may be delivered now.
  bool ready() const;
  /// `comparison` outlives the reply.
  void deliver(const Bytes& payload, const std::optional<Delivery>& delivery,
               const Comparison& comparison);

  /// The application has closed, although our loop has not seen it yet. Looked up before a call on
  /// a connection that was idle, so that it is not lost in the gap and then in doubt.
  bool closed_unseen() const;

  bool is_open() const { return open_; }
  /// Empty where nothing tells.
  const std::string& run() const { return run_; }

 private:
  std::string run_before_connecting() const;
  void connected();
  void opened();
  void readable();
  void instance_answered(const Reply& reply);
  void stream_closed(const std::string& reason);
  void close(const std::string& reason);

  const AppEndpoint& endpoint_;
  const std::shared_ptr<const Handlers> handlers_;  ///< we may be destroyed inside one
  std::string run_;
  bool open_ = false;
  std::optional<AppProbe> instance_;  ///< asked, and not answered yet
  std::unique_ptr<AppSession> session_;
  std::unique_ptr<Stream> stream_;  ///< null once closed
};

/// Whole answers, compared in full: for reads and questions, whose digests nobody looks at.
const Comparison& uncompared();

}  // namespace zap
