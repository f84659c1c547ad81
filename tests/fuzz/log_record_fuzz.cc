// Any bytes where a log record should be: no crash, and what decodes has one spelling.

#include <cstdint>
#include <string_view>

#include "consensus/wire/codec.h"
#include "core/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zap;
  const auto decoded =
      wire::decode_record(Bytes::copy_of({reinterpret_cast<const char*>(data), size}));
  if (!decoded) return 0;
  const Bytes once = wire::encode_record(*decoded);
  const auto again = wire::decode_record(once);
  ZAP_CHECK(again, "our own bytes are refused: " << again.error().message);
  ZAP_CHECK(wire::encode_record(*again) == once, "one record, two spellings");
  return 0;
}
