// Any bytes of an application: no crash; the same reply however the bytes are cut; and a reply's
// payload, read again, is that same reply. The first byte chooses between GET and HEAD.

#include <cstdint>
#include <optional>
#include <string_view>

#include "adapters/http/app_session.h"
#include "core/check.h"

namespace {

using namespace zap;

const Comparison kFull;

std::optional<AppReply> reply_to(bool head, std::string_view input, std::size_t piece,
                                 std::size_t scale) {
  AppSettings settings;
  settings.response_bytes = 500 * scale;
  settings.head_bytes = 2000 * scale;
  settings.header_count = 20 * scale;
  http::HttpAppSession session(settings);
  Output output;
  const Bytes request =
      head ? "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" : "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  session.deliver(request, std::nullopt, kFull, output);
  while (!input.empty()) {
    const auto replies = session.feed(input.substr(0, piece));
    if (!replies) return std::nullopt;
    if (!replies->empty()) return replies->front();
    input.remove_prefix(std::min(piece, input.size()));
  }
  return session.closed();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool head = data[0] == 'H';
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = reply_to(head, input, size, 1);
  const auto pieces = reply_to(head, input, size % 7 + 1, 1);
  // Behind a complete answer, pieces have not seen the bytes that make the whole an error.
  if (!whole || !pieces) return 0;
  ZAP_CHECK(whole->reply.payload == pieces->reply.payload, "pieces make another payload");
  ZAP_CHECK(whole->reply.compared == pieces->reply.compared, "pieces make another digest");
  if (whole->reply.payload.view().find("\r\nZap-Origin: ") != std::string_view::npos) return 0;
  const auto again = reply_to(head, whole->reply.payload.view(), size + 1000, 4);
  ZAP_CHECK(again, "a payload is not one answer");
  ZAP_CHECK(again->reply.payload == whole->reply.payload, "a payload is not normalized");
  ZAP_CHECK(again->reply.compared == whole->reply.compared, "another digest");
  return 0;
}
