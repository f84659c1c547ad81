#include "store/crc32c.h"

#include <array>
#include <cstring>

namespace zap::store {
namespace {

using Table = std::array<std::uint32_t, 256>;

constexpr Table make_table() {
  Table table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0x82F63B78U : 0U);
    }
    table[byte] = remainder;
  }
  return table;
}

constexpr Table kTable = make_table();

std::uint32_t update(std::uint32_t crc, std::string_view bytes) {
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  }
  return crc;
}

#if defined(__x86_64__)
// The processor's own instruction: some twenty times as fast, which counts for large payloads.
__attribute__((target("sse4.2"))) std::uint32_t update_in_hardware(std::uint32_t crc,
                                                                   std::string_view bytes) {
  std::uint64_t wide = crc;
  while (bytes.size() >= sizeof wide) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
    bytes.remove_prefix(sizeof word);
  }
  return update(static_cast<std::uint32_t>(wide), bytes);
}

const auto best_update = __builtin_cpu_supports("sse4.2") ? update_in_hardware : update;
#else
constexpr auto best_update = update;
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  return ~best_update(~before, bytes);
}

}  // namespace zap::store
