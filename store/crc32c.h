// store/crc32c.h - CRC-32C (Castagnoli, RFC 3720 B.4), for what lies on disk.

#pragma once

#include <cstdint>
#include <string_view>

namespace zap::store {

/// The CRC of `bytes`; `before` is that of the bytes before them, 0 where there are none.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace zap::store
