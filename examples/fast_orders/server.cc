#include "examples/fast_orders/server.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/util.h>
#include <llhttp.h>
#include <netinet/tcp.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace fast_orders {
namespace {

constexpr std::size_t kUrlBytesMax = 8'000;
constexpr std::size_t kBodyBytesMax = 16'000'000;
constexpr std::string_view kKeyPrefix = "/kv/";

struct Answer {
  int status = 200;
  std::string body;
};

std::string hex(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016" PRIx64, number);
  return text;
}

std::string digest_json(const State& state) {
  return "{\"writes\":" + std::to_string(state.history().size()) +
         ",\"keys\":" + std::to_string(state.keys()) + ",\"digest\":\"" + hex(state.digest()) +
         "\"}\n";
}

std::string history_lines(const State& state) {
  std::string lines;
  lines.reserve(state.history().size() * 17);
  for (const std::uint64_t fingerprint : state.history()) lines += hex(fingerprint) + '\n';
  return lines;
}

Answer answer_to(State& state, llhttp_method_t method, std::string_view path,
                 std::string_view body) {
  const bool read = method == HTTP_GET || method == HTTP_HEAD;
  if (path.starts_with(kKeyPrefix) && path.size() > kKeyPrefix.size()) {
    const std::string key(path.substr(kKeyPrefix.size()));
    if (method == HTTP_POST)
      return {200, "{\"id\":" + std::to_string(state.put(key, body)) + "}\n"};
    if (!read) return {405, "only POST and GET\n"};
    const std::string* value = state.get(key);
    return value ? Answer{200, *value} : Answer{404, "no such key\n"};
  }
  if (read && path == "/digest") return {200, digest_json(state)};
  if (read && path == "/_zap/applied") return {200, std::to_string(state.applied())};
  if (read && path == "/history") return {200, history_lines(state)};
  return {404, "no such page\n"};
}

const char* reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    default:
      return "Method Not Allowed";
  }
}

/// One client. Frees itself when the connection ends.
class Connection {
 public:
  Connection(event_base* base, evutil_socket_t socket, State& state) : state_(state) {
    stream_ = bufferevent_socket_new(base, socket, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(stream_, on_readable, on_written, on_event, this);
    bufferevent_enable(stream_, EV_READ | EV_WRITE);
    llhttp_init(&parser_, HTTP_REQUEST, &settings());
    parser_.data = this;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

 private:
  ~Connection() { bufferevent_free(stream_); }

  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t callbacks = [] {
      llhttp_settings_t made;
      llhttp_settings_init(&made);
      made.on_message_begin = [](llhttp_t* parser) { return self(parser).begin(); };
      made.on_url = [](llhttp_t* parser, const char* at, std::size_t length) {
        return append(self(parser).url_, kUrlBytesMax, at, length);
      };
      made.on_header_field = [](llhttp_t* parser, const char* at, std::size_t length) {
        return self(parser).header_field(at, length);
      };
      made.on_header_value = [](llhttp_t* parser, const char* at, std::size_t length) {
        return append(self(parser).header_value_, kUrlBytesMax, at, length);
      };
      made.on_headers_complete = [](llhttp_t* parser) { return self(parser).end_header(); };
      made.on_body = [](llhttp_t* parser, const char* at, std::size_t length) {
        return append(self(parser).body_, kBodyBytesMax, at, length);
      };
      made.on_message_complete = [](llhttp_t* parser) { return self(parser).complete(); };
      return made;
    }();
    return callbacks;
  }

  /// Zap-Index, which says where in the order a call stands.
  int header_field(const char* at, std::size_t length) {
    if (!header_value_.empty()) end_header();
    return append(header_name_, kUrlBytesMax, at, length);
  }

  int end_header() {
    if (evutil_ascii_strcasecmp(header_name_.c_str(), "Zap-Index") == 0) {
      index_ = std::strtoull(header_value_.c_str(), nullptr, 10);
    }
    header_name_.clear();
    header_value_.clear();
    return 0;
  }

  static Connection& self(llhttp_t* parser) { return *static_cast<Connection*>(parser->data); }

  static int append(std::string& to, std::size_t bytes_max, const char* at, std::size_t length) {
    if (to.size() + length > bytes_max) return HPE_USER;
    to.append(at, length);
    return 0;
  }

  int begin() {
    url_.clear();
    body_.clear();
    index_ = 0;
    return 0;
  }

  int complete() {
    const auto method = static_cast<llhttp_method_t>(llhttp_get_method(&parser_));
    const std::string_view path = std::string_view(url_).substr(0, url_.find('?'));
    if (index_ > 0) state_.set_applied(index_);
    const Answer answer = answer_to(state_, method, path, body_);
    std::string bytes = "HTTP/1.1 " + std::to_string(answer.status) + ' ' + reason(answer.status) +
                        "\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n";
    closing_ = llhttp_should_keep_alive(&parser_) == 0;
    if (closing_) bytes += "Connection: close\r\n";
    bytes += "\r\n";
    if (method != HTTP_HEAD) bytes += answer.body;
    evbuffer_add(bufferevent_get_output(stream_), bytes.data(), bytes.size());
    return closing_ ? HPE_PAUSED : 0;
  }

  void read() {
    evbuffer* const input = bufferevent_get_input(stream_);
    while (!closing_ && evbuffer_get_length(input) > 0) {
      const std::size_t length = evbuffer_get_contiguous_space(input);
      const auto* at = reinterpret_cast<const char*>(evbuffer_pullup(input, length));
      if (llhttp_execute(&parser_, at, length) != HPE_OK && !closing_) {
        delete this;
        return;
      }
      evbuffer_drain(input, length);
    }
  }

  static void on_readable(bufferevent*, void* connection) {
    static_cast<Connection*>(connection)->read();
  }

  static void on_written(bufferevent*, void* connection) {
    auto* const self = static_cast<Connection*>(connection);
    if (self->closing_) delete self;
  }

  static void on_event(bufferevent*, short, void* connection) {
    delete static_cast<Connection*>(connection);
  }

  State& state_;
  bufferevent* stream_;
  llhttp_t parser_;
  std::string url_;
  std::string body_;
  std::string header_name_;  ///< of the header that is being read
  std::string header_value_;
  std::uint64_t index_ = 0;  ///< this call's place in the order; 0: it has none
  bool closing_ = false;     ///< the last answer is on its way; nothing more is read
};

}  // namespace

bool Server::listen(const sockaddr_in& address) {
  constexpr unsigned kFlags = LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;
  listener_.reset(evconnlistener_new_bind(base_, on_accept, this, kFlags, 1024,
                                          reinterpret_cast<const sockaddr*>(&address),
                                          sizeof address));
  return listener_ != nullptr;
}

void Server::on_accept(evconnlistener*, evutil_socket_t socket, sockaddr*, int, void* self) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto* const server = static_cast<Server*>(self);
  new Connection(server->base_, socket, server->state_);
}

}  // namespace fast_orders
