#include "proxy/face/admin.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/http.h>

#include <utility>

namespace zap {
namespace {

constexpr int kIdleSeconds = 30;
constexpr int kHeadBytes = 16 * 1024;
constexpr int kBodyBytes = 4 * 1024;

constexpr const char* kJson = "application/json";
constexpr const char* kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

std::string_view host_part(std::string_view host_header) {
  if (!host_header.empty() && host_header.front() == '[') {
    const std::size_t end = host_header.find(']');
    return end == std::string_view::npos ? std::string_view() : host_header.substr(1, end - 1);
  }
  return host_header.substr(0, host_header.find(':'));
}

bool is_ip_literal(const std::string& host) {
  in6_addr parsed;
  return inet_pton(AF_INET, host.c_str(), &parsed) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

struct Page {
  int status = HTTP_OK;
  const char* type = kJson;
  std::string body;
};

void send(evhttp_request* request, const Page& page) {
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Type", page.type);
  evhttp_add_header(headers, "Cache-Control", "no-store");
  evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
  evhttp_add_header(headers, "Content-Security-Policy",
                    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                    "connect-src 'self'; frame-ancestors 'none'");
  evbuffer* body = evbuffer_new();
  evbuffer_add(body, page.body.data(), page.body.size());
  evhttp_send_reply(request, page.status, nullptr, body);
  evbuffer_free(body);
}

Page page_at(const AdminPages& pages, std::string_view path) {
  constexpr std::string_view kOperation = "/op/";
  if (path == "/")
    return {.type = "text/html; charset=utf-8", .body = std::string(dashboard_html())};
  if (path == "/metrics") return {.type = kMetricsText, .body = pages.metrics()};
  if (path == "/livez") return {.body = "{\"live\":true}\n"};
  if (path == "/status") return {.body = status_json(pages.status())};
  if (path == "/readyz") {
    const NodeStatus status = pages.status();
    return {.status = status.not_ready.empty() ? HTTP_OK : HTTP_SERVUNAVAIL,
            .body = readiness_json(status)};
  }
  if (path.substr(0, kOperation.size()) == kOperation) {
    const auto operation = pages.operation(path.substr(kOperation.size()));
    if (operation) return {.body = operation_json(*operation)};
    return {.status = HTTP_BADREQUEST, .body = error_json("malformed", operation.error().message)};
  }
  return {.status = HTTP_NOTFOUND,
          .body = error_json("not_found",
                             "there is /, /metrics, /livez, /readyz, /status and /op/{id}")};
}

}  // namespace

bool is_own_host(std::string_view host_header, const Address& own) {
  const std::string host(host_part(host_header));
  return !host.empty() && (host == own.host || host == "localhost" || is_ip_literal(host));
}

struct AdminServer::Impl {
  Address address;
  AdminPages pages;
  evhttp* http = nullptr;

  ~Impl() {
    if (http) evhttp_free(http);
  }

  void serve(evhttp_request* request) {
    const char* host = evhttp_find_header(evhttp_request_get_input_headers(request), "Host");
    if (!host || !is_own_host(host, address)) {
      return send(request, {.status = 421,
                            .body = error_json("rejected",
                                               "this Host is not the admin server's: ask by its "
                                               "IP address or by the name in the configuration")});
    }
    const evhttp_uri* uri = evhttp_request_get_evhttp_uri(request);
    const char* path = uri ? evhttp_uri_get_path(uri) : nullptr;
    send(request, page_at(pages, path && *path ? path : "/"));
  }
};

Result<std::unique_ptr<AdminServer>> AdminServer::open(EventLoop& loop, const Address& address,
                                                       AdminPages pages) {
  if (address.is_unix()) {
    return Error{ErrorCode::kInvalid, "admin.address is " + to_string(address) +
                                          "; the admin server needs a host and a port"};
  }
  auto impl = std::make_unique<Impl>();
  impl->address = address;
  impl->pages = std::move(pages);
  impl->http = evhttp_new(loop.base());
  evhttp_set_allowed_methods(impl->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
  evhttp_set_timeout(impl->http, kIdleSeconds);
  evhttp_set_max_headers_size(impl->http, kHeadBytes);
  evhttp_set_max_body_size(impl->http, kBodyBytes);
  evhttp_set_gencb(
      impl->http,
      [](evhttp_request* request, void* self) { static_cast<Impl*>(self)->serve(request); },
      impl.get());
  if (!evhttp_bind_socket_with_handle(impl->http, address.host.c_str(), address.port)) {
    return Error{ErrorCode::kIo, "cannot listen at admin.address " + to_string(address) +
                                     ": it is in use, or not an address of this machine"};
  }
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminServer::~AdminServer() = default;

}  // namespace zap
