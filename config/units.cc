#include "config/units.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace zap::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;
};

// Largest first: printing takes the first that leaves no remainder.
constexpr Unit kDurations[] = {{"h", 3'600'000'000'000},
                               {"m", 60'000'000'000},
                               {"s", 1'000'000'000},
                               {"ms", 1'000'000},
                               {"us", 1'000}};
constexpr Unit kSizes[] = {{"GiB", 1ULL << 30},
                           {"GB", 1'000'000'000},
                           {"MiB", 1ULL << 20},
                           {"MB", 1'000'000},
                           {"KiB", 1ULL << 10},
                           {"kB", 1'000},
                           {"B", 1}};

template <std::size_t size>
std::optional<std::uint64_t> parse(std::string_view text, const Unit (&units)[size]) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto unit = std::find_if(std::begin(units), std::end(units),
                                 [name](const Unit& candidate) { return candidate.name == name; });
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (unit == std::end(units) || number > kMost / unit->size) return std::nullopt;
  return number * unit->size;
}

template <std::size_t size>
std::string print(std::uint64_t value, const Unit (&units)[size]) {
  const auto unit =
      std::find_if(std::begin(units), std::end(units) - 1, [value](const Unit& candidate) {
        return value >= candidate.size && value % candidate.size == 0;
      });
  return std::to_string(value / unit->size) + std::string(unit->name);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (const auto nanoseconds = parse(text, kDurations)) {
    return Duration(static_cast<std::int64_t>(*nanoseconds));
  }
  return Error{ErrorCode::kInvalid,
               "write a whole number and one of the units us, ms, s, m, h, as in 500ms"};
}

std::string print_duration(Duration duration) {
  return print(static_cast<std::uint64_t>(duration.count()), kDurations);
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  if (const auto bytes = parse(text, kSizes)) return *bytes;
  return Error{ErrorCode::kInvalid,
               "write a whole number and one of the units B, kB, MB, GB, KiB, MiB, GiB, as in "
               "100MB"};
}

std::string print_bytes(std::uint64_t bytes) { return print(bytes, kSizes); }

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace zap::config
