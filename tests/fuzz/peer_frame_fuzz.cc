// Any frame of a peer: no crash, and what decodes has one spelling.

#include <cstdint>
#include <string_view>
#include <variant>

#include "consensus/wire/codec.h"
#include "core/check.h"

namespace {

using namespace zap;

Bytes encode(const wire::PeerMessage& message) {
  return std::visit([](const auto& one) { return wire::encode(one); }, message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto decoded = wire::decode(Bytes::copy_of({reinterpret_cast<const char*>(data), size}));
  if (!decoded) return 0;
  const Bytes once = encode(*decoded);
  const auto again = wire::decode(once);
  ZAP_CHECK(again, "our own bytes are refused: " << again.error().message);
  ZAP_CHECK(encode(*again) == once, "one message, two spellings");
  return 0;
}
