#include "proxy/commands/admin_client.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <memory>
#include <optional>

#include "core/address.h"

namespace zap::commands {
namespace {

constexpr int kTimeoutSeconds = 5;
constexpr ev_ssize_t kBodyMax = 16'000'000;

struct Release {
  void operator()(event_base* base) const { event_base_free(base); }
  void operator()(evhttp_connection* connection) const { evhttp_connection_free(connection); }
};

/// libevent calls this once: with null, or status 0, when there was no answer.
void take_answer(evhttp_request* request, void* argument) {
  if (!request || evhttp_request_get_response_code(request) == 0) return;
  AdminAnswer answer{.status = evhttp_request_get_response_code(request)};
  evbuffer* body = evhttp_request_get_input_buffer(request);
  answer.body.resize(evbuffer_get_length(body));
  evbuffer_copyout(body, answer.body.data(), answer.body.size());
  *static_cast<std::optional<AdminAnswer>*>(argument) = std::move(answer);
}

}  // namespace

Result<AdminAnswer> ask_admin(const std::string& admin, const std::string& path) {
  const auto address = parse_address(admin);
  if (!address) return Error{ErrorCode::kInvalid, "--admin: " + address.error().message};
  if (address->is_unix()) {
    return Error{ErrorCode::kInvalid, "--admin: " + admin + " is a Unix socket; write host:port"};
  }
  const Error silent{
      ErrorCode::kUnavailable,
      "no sidecar answers at " + admin +
          "; is it running, and is that its admin.address? --admin HOST:PORT names another"};

  std::optional<AdminAnswer> answer;
  const std::unique_ptr<event_base, Release> base(event_base_new());
  const std::unique_ptr<evhttp_connection, Release> connection(
      evhttp_connection_base_new(base.get(), nullptr, address->host.c_str(), address->port));
  if (!connection) return silent;
  evhttp_connection_set_timeout(connection.get(), kTimeoutSeconds);
  evhttp_connection_set_max_body_size(connection.get(), kBodyMax);

  evhttp_request* request = evhttp_request_new(take_answer, &answer);
  evhttp_add_header(evhttp_request_get_output_headers(request), "Host", admin.c_str());
  evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
  if (evhttp_make_request(connection.get(), request, EVHTTP_REQ_GET, path.c_str()) != 0) {
    return silent;
  }
  event_base_dispatch(base.get());
  if (!answer) return silent;
  return *answer;
}

}  // namespace zap::commands
