#include "adapters/http/errors.h"

#include "adapters/http/fields.h"
#include "adapters/http/json.h"

namespace zap::http {
namespace {

/// Waiting a moment may help, and retrying can do no harm.
bool retry_later(int status) { return status == 503 || status == 429; }

}  // namespace

// clang-format off
std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 508: return "Loop Detected";
    default: return "Error";
  }
}
// clang-format on

// clang-format off
int status_of(ProxyErrorCode code) {
  switch (code) {
    case ProxyErrorCode::kNoQuorum:
    case ProxyErrorCode::kDraining:
    case ProxyErrorCode::kStarting:
    case ProxyErrorCode::kAppQuarantined:
    case ProxyErrorCode::kTooStale:
    case ProxyErrorCode::kIndexNotReached:
      return 503;
    case ProxyErrorCode::kOverloaded: return 429;
    case ProxyErrorCode::kOutcomeUnknown: return 504;
    case ProxyErrorCode::kAppUnreachable: return 502;
    case ProxyErrorCode::kTooLarge: return 413;
    case ProxyErrorCode::kMalformed: return 400;
    case ProxyErrorCode::kRejected: return 403;
    case ProxyErrorCode::kLoop: return 508;
    case ProxyErrorCode::kKeyInFlight: return 409;
    case ProxyErrorCode::kKeyReused: return 422;
    case ProxyErrorCode::kAnswersDiffer:
    case ProxyErrorCode::kAnswerLost:
      return 500;
  }
  return 500;
}
// clang-format on

std::string render_error(const ProxyError& error, ConnectionField connection, bool answers_head) {
  return render_error(error, status_of(error.code), connection, answers_head);
}

std::string render_error(const ProxyError& error, int status, ConnectionField connection,
                         bool answers_head) {
  const std::string body = R"({"error":{"code":")" + std::string(to_string(error.code)) +
                           R"(","message":)" + json_quoted(error.message) + R"(,"details":)" +
                           (error.details.empty() ? "null" : json_quoted(error.details)) + "}}\n";
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  out.append(reason_of(status)).append("\r\n").append(to_field(connection));
  append_field(out, "Zap-Origin", "proxy");
  if (retry_later(status)) append_field(out, "Retry-After", "1");
  if (!error.operation_id.empty()) append_field(out, "Zap-Op-Id", error.operation_id);
  if (error.index) append_field(out, "Zap-Index", std::to_string(*error.index));
  append_field(out, "Content-Type", "application/json");
  append_field(out, "Content-Length", std::to_string(body.size()));
  out += "\r\n";
  if (!answers_head) out += body;
  return out;
}

}  // namespace zap::http
