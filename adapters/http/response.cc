#include "adapters/http/response.h"

#include <algorithm>
#include <array>

#include "adapters/http/fields.h"
#include "adapters/http/json.h"
#include "adapters/http/text.h"

namespace zap::http {
namespace {

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

/// Says who answered and when, not what: never compared.
bool differs_between_nodes(std::string_view name) {
  return equals(name, "date") || equals(name, "server") || equals(name, "via");
}

/// Collects the headers that must be equal, whatever the order and case of their names.
class ComparedHeaders {
 public:
  explicit ComparedHeaders(const Comparison& comparison) : comparison_(comparison) {}

  void add(const Header& header) {
    if (comparison_.mode != Comparison::Mode::kFull || differs_between_nodes(header.name)) return;
    std::string name = lower_case(header.name);
    const auto& ignored = comparison_.ignored_headers;
    if (std::find(ignored.begin(), ignored.end(), name) != ignored.end()) return;
    headers_.emplace_back(std::move(name), header.value);
  }

  void write(std::string& compared) {
    std::stable_sort(headers_.begin(), headers_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [name, value] : headers_) append_field(compared, name, value);
  }

 private:
  const Comparison& comparison_;
  std::vector<std::pair<std::string, std::string_view>> headers_;
};

}  // namespace

ResponseDraft draft_response(const Head& head, bool answers_head, const Comparison& comparison) {
  ResponseDraft draft;
  std::string& out = draft.message.head();
  out.reserve(512);
  out.append("HTTP/1.1 ").append(std::to_string(head.status)).append(" ");
  out.append(head.reason).append("\r\n");

  ComparedHeaders compared(comparison);
  const ConnectionFields connection(head);
  for (const Header& header : head.headers) {
    draft.duplicate |= equals(header.name, "zap-applied") && equals(header.value, "duplicate");
    if (equals(header.name, "content-length") || connection.contains(header.name)) continue;
    if (is_zap_field(header.name)) continue;
    append_field(out, header.name, header.value);
    compared.add(header);
  }
  if (comparison.mode != Comparison::Mode::kNone) draft.compared = std::to_string(head.status);
  draft.compared += "\r\n";
  compared.write(draft.compared);

  const bool no_content = head.status == 204;  // RFC 9110, 8.6: has no Content-Length either
  draft.has_body = !answers_head && !no_content && head.status != 304;
  if (!draft.has_body) {
    draft.message.no_body(no_content ? std::nullopt : head.content_length);
  } else {
    draft.message.begin_body(head.content_length);
  }
  return draft;
}

AppReply finish_response(ResponseDraft draft, const Comparison& comparison) {
  AppReply result;
  result.duplicate = draft.duplicate;
  Hasher hasher("zap http answer");
  hasher.add(draft.compared);
  if (draft.has_body && comparison.mode == Comparison::Mode::kFull) {
    if (comparison.ignored_paths.empty()) {
      hasher.add(draft.message.body());
    } else {
      hasher.add(json_without(draft.message.body(), comparison.ignored_paths));
    }
  }
  result.reply.compared = hasher.finish();
  result.reply.payload = Bytes(draft.message.finish());
  return result;
}

std::string_view to_field(ConnectionField connection) {
  switch (connection) {
    case ConnectionField::kClose:
      return "Connection: close\r\n";
    case ConnectionField::kKeepAlive:
      return "Connection: keep-alive\r\n";
    case ConnectionField::kNone:
      break;
  }
  return {};
}

void write_answer(const Answer& answer, ConnectionField connection, Output& output) {
  const std::size_t status_line = answer.payload.view().find('\n') + 1;
  std::string head(answer.payload.view().substr(0, status_line));
  head += to_field(connection);
  if (answer.index) append_field(head, "Zap-Index", std::to_string(*answer.index));
  if (answer.view) append_field(head, "Zap-View", std::to_string(*answer.view));
  if (!answer.operation_id.empty()) append_field(head, "Zap-Op-Id", answer.operation_id);
  output.append(std::string_view(head));
  output.append(answer.payload.slice(status_line, answer.payload.size() - status_line));
}

}  // namespace zap::http
