// config/names.h - what may name a node, a listener, a cluster or a host.

#pragma once

#include <algorithm>
#include <string_view>

namespace zap::config {

inline constexpr std::size_t kNameMax = 63;
inline constexpr std::size_t kHostMax = 253;

inline bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// 1 to 63 letters, digits, '-', '_' and '.'.
inline bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
         });
}

/// A host's name or IP address, as it may stand in a certificate.
inline bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= kHostMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.' || c == ':';
         });
}

}  // namespace zap::config
