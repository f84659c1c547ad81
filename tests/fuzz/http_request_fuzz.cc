// Any bytes of a client: no crash; the same calls however the bytes are cut; and a payload is one
// request of the same method and path when it is read again, so nothing can be smuggled in it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/http/client_session.h"
#include "core/check.h"

namespace {

using namespace zap;

ClientSettings settings(std::size_t scale) {
  ClientSettings made;
  made.request_bytes = 500 * scale;
  made.head_bytes = 2000 * scale;
  made.header_count = 20 * scale;
  made.peer_address = "192.0.2.1";
  made.random_id = [] { return RandomId{1, 2}; };
  return made;
}

std::vector<ClientCall> calls_of(std::string_view input, std::size_t piece, std::size_t scale) {
  http::HttpClientSession session(settings(scale));
  Output output;
  std::vector<ClientCall> calls;
  while (!input.empty()) {
    std::string_view rest = input.substr(0, piece);
    while (auto call = session.feed(rest, output)) calls.push_back(std::move(*call));
    ZAP_CHECK(rest.empty(), rest.size() << " bytes are not taken, and no call is complete");
    input.remove_prefix(std::min(piece, input.size()));
  }
  for (const ClientCall& call : calls) {
    session.refuse(call.sequence, {ProxyErrorCode::kNoQuorum, "a fuzzer"}, output);
  }
  ZAP_CHECK(session.pending() <= 1, "only an error may be left");
  return calls;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto whole = calls_of(input, size + 1, 1);
  const auto pieces = calls_of(input, size % 7 + 1, 1);
  ZAP_CHECK(whole.size() == pieces.size(), whole.size() << " calls, in pieces " << pieces.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    ZAP_CHECK(whole[i].payload == pieces[i].payload, "pieces make another payload");
    const auto again = calls_of(whole[i].payload.view(), size + 1000, 4);
    ZAP_CHECK(again.size() == 1, "a payload holds " << again.size() << " requests");
    ZAP_CHECK(again[0].method.verb == whole[i].method.verb, "another method");
    ZAP_CHECK(again[0].method.path == whole[i].method.path, "another path");
    ZAP_CHECK(again[0].parent_operation.empty(), "a Zap field was passed on");
  }
  return 0;
}
