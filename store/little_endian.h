// store/little_endian.h - fixed-width numbers as the formats of docs/formats write them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace zap::store {

inline void put_little_endian(std::string& out, std::uint64_t number, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) out += static_cast<char>(number >> (8 * i));
}

inline std::uint64_t get_little_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

}  // namespace zap::store
