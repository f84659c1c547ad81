#include "adapters/http/request.h"

#include "adapters/http/fields.h"
#include "adapters/http/target.h"
#include "adapters/http/text.h"

namespace zap::http {
namespace {

constexpr std::size_t kKeyBytes = 256;

Error malformed(std::string message) { return {ErrorCode::kInvalid, std::move(message)}; }

/// What a proxy adds to a request, unless a proxy or the client before it has.
class OriginFields {
 public:
  /// True when the field is kept back, to be written extended by write().
  bool take(const Header& header) {
    if (equals(header.name, "via")) return join(via_, header.value);
    if (equals(header.name, "x-forwarded-for")) return join(forwarded_for_, header.value);
    has_request_id_ |= equals(header.name, "x-request-id");
    has_trace_ |= equals(header.name, "traceparent");
    return false;
  }

  void write(const Head& request, const ClientSettings& settings, std::string& head) {
    join(via_, request.minor_version == 0 ? "1.0 zap-sidecar" : "1.1 zap-sidecar");
    append_field(head, "Via", via_);
    if (!settings.peer_address.empty()) join(forwarded_for_, settings.peer_address);
    if (!forwarded_for_.empty()) append_field(head, "X-Forwarded-For", forwarded_for_);
    if (has_request_id_ && has_trace_) return;
    const RandomId id = settings.random_id();
    if (!has_request_id_) {
      head += "X-Request-Id: ";
      append_id(head, id);
      head += "\r\n";
    }
    if (!has_trace_) {  // W3C Trace Context: sampled, as a request without a parent is by default
      head += "traceparent: 00-";
      append_id(head, id);
      head += "-";
      append_hex(head, id[1] | 1);
      head += "-01\r\n";
    }
  }

 private:
  static void append_id(std::string& head, const RandomId& id) {
    append_hex(head, id[0]);
    append_hex(head, id[1]);
  }

  static bool join(std::string& list, std::string_view element) {
    if (!list.empty()) list += ", ";
    list += element;
    return true;
  }

  std::string via_;
  std::string forwarded_for_;
  bool has_request_id_ = false;
  bool has_trace_ = false;
};

/// The draft for the Idempotency-Key header makes it a quoted string; bare ones are common.
Result<std::string> parse_key(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  if (value.empty() || value.size() > kKeyBytes) {
    return malformed("an idempotency key has 1 to " + std::to_string(kKeyBytes) + " bytes; got " +
                     std::to_string(value.size()));
  }
  return std::string(value);
}

/// The fields that the sidecar itself acts on.
class CallFields {
 public:
  explicit CallFields(const std::string& key_header) : key_header_(key_header) {}

  Result<void> read(const Header& header, ClientCall& call) {
    if (equals(header.name, "zap-min-index")) {
      if (call.min_index) return malformed("Zap-Min-Index is given twice");
      call.min_index = parse_number(header.value);
      if (!call.min_index) return malformed("Zap-Min-Index is not a number");
    } else if (equals(header.name, "zap-op-id")) {
      call.parent_operation = header.value;
    } else if (equals(header.name, "authorization")) {
      authorization_ = header.value;
    } else if (equals(header.name, "expect")) {
      if (!equals(header.value, "100-continue")) {
        return malformed("Expect is not '100-continue', the only expectation there is");
      }
    } else if (same_name(header.name, key_header_)) {
      if (call.key) return malformed(key_header_ + " is given twice");
      Result<std::string> text = parse_key(header.value);
      if (!text) return text.error();
      call.key = IdempotencyKey{std::move(*text), {}, {}};
    }
    return {};
  }

  Digest scope(const MethodName& method) const {
    return Hasher("zap http key scope")
        .add(method.verb)
        .add(method.path)
        .add(authorization_)
        .finish();
  }

 private:
  const std::string& key_header_;
  std::string_view authorization_;
};

}  // namespace

Result<RequestDraft> draft_request(const Head& head, const ClientSettings& settings) {
  Result<Target> target = parse_target(head.method, head.target);
  if (!target) return target.error();

  RequestDraft draft;
  ClientCall& call = draft.call;
  call.method = {std::string(head.method), std::move(target->path)};
  call.read = head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS";

  std::string& out = draft.message.head();
  out.reserve(512);
  out.append(head.method).append(" ").append(target->origin_form).append(" HTTP/1.1\r\n");
  append_field(out, "Host",
               target->authority.empty() ? head.find("host").value_or("") : target->authority);

  CallFields call_fields(settings.idempotency_header);
  OriginFields origin_fields;
  const ConnectionFields connection(head);
  for (const Header& header : head.headers) {
    if (const Result<void> read = call_fields.read(header, call); !read) return read.error();
    if (equals(header.name, "host") || equals(header.name, "content-length")) continue;
    if (connection.contains(header.name)) continue;
    if (is_zap_field(header.name) && !equals(header.name, "zap-min-index")) continue;
    if (origin_fields.take(header)) continue;
    append_field(out, header.name, header.value);
  }
  origin_fields.write(head, settings, out);
  if (call.key) call.key->scope = call_fields.scope(call.method);

  if (head.chunked) {
    draft.message.begin_body(std::nullopt);
  } else if (head.content_length || !call.read) {
    draft.message.begin_body(head.content_length.value_or(0));
  } else {
    draft.message.no_body(std::nullopt);
  }
  return draft;
}

ClientCall finish_request(RequestDraft draft) {
  ClientCall call = std::move(draft.call);
  // What the client sent again, without what differs between two sendings of it (ids, traces).
  if (call.key) {
    const std::string_view line = draft.message.head();
    call.key->fingerprint = Hasher("zap http key fingerprint")
                                .add(line.substr(0, line.find('\r')))
                                .add(draft.message.body())
                                .finish();
  }
  call.payload = Bytes(draft.message.finish());
  return call;
}

}  // namespace zap::http
