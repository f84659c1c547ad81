// tests/unit/proxy/line_app.h - an application in the test's own loop, told what to do by the test.
//
// It keeps every line that it was sent. It answers each at once with what the test's function
// makes of it; where that makes nothing, the line waits until the test answers, or breaks the
// connection.

#pragma once

#include <sys/socket.h>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/net/listener.h"
#include "proxy/net/stream.h"

namespace zap {

class LineApp {
 public:
  using Answer = std::function<std::optional<std::string>(const std::string& line)>;

  LineApp(EventLoop& loop, const Address& address, Answer answer)
      : loop_(loop), answer_(std::move(answer)) {
    auto listener =
        Listener::open(loop, address, [this](Socket socket) { accept(std::move(socket)); });
    listener_ = std::move(listener.value());
  }

  const Address& address() const { return listener_->address(); }

  std::vector<std::string> received;
  std::size_t accepted = 0;
  std::size_t most_at_once = 0;  ///< lines that waited for their answer at the same time

  /// Answers the line that has waited for longest.
  void answer(const std::string& line) {
    Connection* const connection = waiting_.front();
    waiting_.pop_front();
    connection->stream->write(line + "\n");
  }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t connections() const { return connections_.size(); }

  ~LineApp() { hang_up(); }
  LineApp(const LineApp&) = delete;
  LineApp& operator=(const LineApp&) = delete;

  /// Closes every connection, at once: destroying a Stream closes it with the loop's next turn.
  void hang_up() {
    for (const Connection& connection : connections_) {
      ::shutdown(connection.stream->fd(), SHUT_RDWR);
    }
    waiting_.clear();
    connections_.clear();
  }

 private:
  struct Connection {
    std::unique_ptr<Stream> stream;
  };

  void accept(Socket socket) {
    ++accepted;
    const auto connection = connections_.emplace(connections_.end());
    connection->stream = std::make_unique<Stream>(
        loop_, std::move(socket),
        StreamHandlers{.on_open = nullptr,
                       .on_readable = [this, connection] { read(*connection); },
                       .on_drained = nullptr,
                       .on_closed =
                           [this, connection](const std::string&) {
                             waiting_.remove(&*connection);
                             connections_.erase(connection);
                           }});
  }

  void read(Connection& connection) {
    std::string bytes(connection.stream->take_all().view());
    for (std::size_t end; (end = bytes.find('\n')) != std::string::npos;) {
      const std::string line = bytes.substr(0, end);
      bytes.erase(0, end + 1);
      received.push_back(line);
      waiting_.push_back(&connection);
      most_at_once = std::max(most_at_once, waiting_.size());
      if (const auto reply = answer_(line)) answer(*reply);
    }
  }

  EventLoop& loop_;
  const Answer answer_;
  std::list<Connection> connections_;
  std::list<Connection*> waiting_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace zap
