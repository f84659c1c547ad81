#include "proxy/app/app_connection.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "core/check.h"
#include "proxy/app/app_identity.h"

namespace zap {

const Comparison& uncompared() {
  static const Comparison comparison{.mode = Comparison::Mode::kNone};
  return comparison;
}

AppConnection::AppConnection(EventLoop& loop, const AppEndpoint& endpoint, Handlers handlers)
    : endpoint_(endpoint),
      handlers_(std::make_shared<const Handlers>(std::move(handlers))),
      run_(run_before_connecting()),
      session_(endpoint.protocol.app_session(endpoint.settings)),
      stream_(std::make_unique<Stream>(
          loop, endpoint.address,
          StreamHandlers{
              .on_open = [this] { connected(); },
              .on_readable = [this] { readable(); },
              .on_drained = nullptr,
              .on_closed = [this](const std::string& reason) { stream_closed(reason); },
          })) {}

std::string AppConnection::run_before_connecting() const {
  if (endpoint_.supervised_run) return endpoint_.supervised_run();
  if (endpoint_.instance) return {};
  return run_at(endpoint_.address);
}

void AppConnection::connected() {
  if (endpoint_.instance && !endpoint_.supervised_run) {
    auto probe = AppProbe::make(endpoint_.protocol, endpoint_.address, *endpoint_.instance);
    if (!probe.ok()) return close(probe.error().message);
    instance_ = std::move(*probe);
    open_ = true;
    deliver(instance_->payload(), std::nullopt, uncompared());
    open_ = false;
    return;
  }
  // A Unix socket's peer is told by the connection itself; the others must not have changed.
  const bool by_peer = endpoint_.address.is_unix() && !endpoint_.supervised_run;
  std::string run = by_peer ? run_of_peer(stream_->fd()) : run_before_connecting();
  if (!by_peer && run != run_) return close("the application restarted");
  if (endpoint_.supervised_run && run.empty()) return close("the application is being restarted");
  run_ = std::move(run);
  opened();
}

void AppConnection::opened() {
  open_ = true;
  const auto handlers = handlers_;
  handlers->on_open();
}

bool AppConnection::ready() const {
  return open_ && session_->in_flight() < session_->window() && session_->reusable();
}

void AppConnection::deliver(const Bytes& payload, const std::optional<Delivery>& delivery,
                            const Comparison& comparison) {
  ZAP_CHECK(ready(), "a call for a connection that cannot take it");
  Output output;
  session_->deliver(payload, delivery, comparison, output);
  for (Bytes& piece : output.take()) stream_->write(std::move(piece));
}

bool AppConnection::closed_unseen() const {
  char byte;
  const ssize_t size = ::recv(stream_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

void AppConnection::readable() {
  const std::size_t size = stream_->readable();
  auto replies = session_->feed(stream_->peek(size));
  if (!replies.ok()) return close(replies.error().message);
  stream_->drop(size);
  if (replies->empty()) stream_->acknowledge();  // the rest of a reply is to come
  const auto handlers = handlers_;
  for (AppReply& reply : *replies) {
    if (instance_) {
      instance_answered(reply.reply);
    } else {
      handlers->on_reply(std::move(reply));
    }
    if (handlers.use_count() == 1 || !stream_) return;  // destroyed, or closed
  }
  if (!session_->reusable() && session_->in_flight() == 0) close("");
}

void AppConnection::instance_answered(const Reply& reply) {
  auto name = instance_->answer(reply);
  instance_.reset();
  if (!name.ok()) return close(name.error().message);
  run_ = "instance " + *name;
  opened();
}

void AppConnection::stream_closed(const std::string& reason) {
  const auto handlers = handlers_;
  if (auto last = session_->closed(); last && open_) {
    handlers->on_reply(std::move(*last));
    if (handlers.use_count() == 1) return;  // destroyed
  }
  if (!reason.empty()) return close(reason);
  if (!open_) return close("the application closed the connection at once");
  close(session_->in_flight() == 0 ? "" : "the application closed the connection unanswered");
}

void AppConnection::close(const std::string& reason) {
  open_ = false;
  stream_.reset();
  const auto handlers = handlers_;
  handlers->on_closed(reason);
}

}  // namespace zap
