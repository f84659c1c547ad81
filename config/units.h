// config/units.h - durations and sizes as people write them: "500ms", "100MB".

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace zap::config {

/// A whole number and one of us, ms, s, m, h. The error says what would be right.
Result<Duration> parse_duration(std::string_view text);
std::string print_duration(Duration duration);

/// A whole number and one of B, kB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024).
Result<std::uint64_t> parse_bytes(std::string_view text);
std::string print_bytes(std::uint64_t bytes);

/// How many characters must be inserted, removed or replaced to make one of the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace zap::config
