#include "proxy/face/admin.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "adapters/catalog.h"
#include "adapters/http/page.h"
#include "core/limits.h"
#include "proxy/clients/client_listener.h"

namespace zap {
namespace {

constexpr ClientTimes kTimes{.request = std::chrono::seconds(10), .idle = std::chrono::seconds(30)};
constexpr std::size_t kHeadBytes = 16 * 1024;
constexpr std::size_t kBodyBytes = 4 * 1024;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kHtml = "text/html; charset=utf-8";

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

http::Page page_of(std::string_view type, std::string body, int status = 200) {
  return {.status = status,
          .fields = {{"Content-Type", type},
                     {"Cache-Control", "no-store"},
                     {"X-Content-Type-Options", "nosniff"},
                     {"Content-Security-Policy",
                      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                      "connect-src 'self'; frame-ancestors 'none'"}},
          .body = std::move(body)};
}

http::Page error_page(int status, std::string_view code, std::string_view message) {
  return page_of(kJson, error_json(code, message), status);
}

http::Page page_at(const AdminPages& pages, std::string_view path) {
  constexpr std::string_view kOperation = "/op/";
  if (path == "/") return page_of(kHtml, std::string(dashboard_html()));
  if (path == "/metrics") return page_of(kMetricsText, pages.metrics());
  if (path == "/livez") return page_of(kJson, "{\"live\":true}\n");
  if (path == "/status") return page_of(kJson, status_json(pages.status()));
  if (path == "/evidence") return page_of(kJson, pages.evidence());
  if (path == "/readyz") {
    const NodeStatus status = pages.status();
    return page_of(kJson, readiness_json(status), status.not_ready.empty() ? 200 : 503);
  }
  if (path.starts_with(kOperation)) {
    const auto operation = pages.operation(path.substr(kOperation.size()));
    if (operation) return page_of(kJson, operation_json(*operation));
    return error_page(400, "malformed", operation.error().message);
  }
  return error_page(404, "not_found",
                    "there is /, /metrics, /livez, /readyz, /status, /evidence and /op/{id}");
}

}  // namespace

bool is_own_host(std::string_view host_header, const Address& own) {
  std::string host(host_part(host_header));
  std::transform(host.begin(), host.end(), host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return !host.empty() && (host == own.host || host == "localhost" || is_ip_literal(host));
}

struct AdminServer::Impl {
  Impl(EventLoop& loop, Address own_address, AdminPages its_pages)
      : address(std::move(own_address)),
        pages(std::move(its_pages)),
        listener(loop, *find_protocol("http"),
                 {.request_bytes = kBodyBytes,
                  .head_bytes = kHeadBytes,
                  .random_id = [] { return RandomId{}; }},
                 kTimes, load,
                 [this](const std::shared_ptr<Client>& client, const ClientCall& call) {
                   client->answer(call.sequence, http::answer_with(page_for(call), call));
                 }) {}

  http::Page page_for(const ClientCall& call) const {
    if (!is_own_host(http::host_of(call), address)) {
      return error_page(421, "rejected",
                        "this Host is not the admin server's: ask by its IP address or by the "
                        "name in the configuration");
    }
    if (call.method.verb != "GET" && call.method.verb != "HEAD") {
      http::Page page = error_page(405, "rejected", "nothing here changes anything: GET or HEAD");
      page.fields.emplace_back("Allow", "GET, HEAD");
      return page;
    }
    return page_at(pages, call.method.path);
  }

  const Address address;
  const AdminPages pages;
  ClientLoad load{.connections_most = limits::kAdminConnections,
                  .who_bounds = "the admin address takes"};
  ClientListener listener;
};

Result<std::unique_ptr<AdminServer>> AdminServer::open(EventLoop& loop, const Address& address,
                                                       AdminPages pages) {
  if (address.is_unix()) {
    return Error{ErrorCode::kInvalid, "admin.address is " + to_string(address) +
                                          "; the admin server needs a host and a port"};
  }
  auto impl = std::make_unique<Impl>(loop, address, std::move(pages));
  if (const auto opened = impl->listener.open(address); !opened) {
    return Error{opened.error().code, "admin.address: " + opened.error().message};
  }
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminServer::~AdminServer() = default;

const Address& AdminServer::address() const { return impl_->listener.address(); }

}  // namespace zap
