#include "core/address.h"

#include <algorithm>
#include <charconv>

namespace zap {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kUnixPathMax = 107;  // sun_path, less its closing zero

Error invalid(std::string_view text, std::string_view why) {
  return {ErrorCode::kInvalid, "'" + std::string(text) + "' is not an address: " +
                                   std::string(why) + "; write host:port or unix:/path"};
}

Result<Address> parse_unix(std::string_view text) {
  const std::string_view path = text.substr(kUnixPrefix.size());
  if (path.empty() || path[0] != '/') return invalid(text, "a Unix socket's path starts with /");
  if (path.size() > kUnixPathMax) {
    return invalid(text, "a Unix socket's path has at most " + std::to_string(kUnixPathMax) +
                             " bytes, this one " + std::to_string(path.size()));
  }
  return Address{.unix_path = std::string(path)};
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  if (text.substr(0, kUnixPrefix.size()) == kUnixPrefix) return parse_unix(text);

  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid(text, "it names no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);

  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return invalid(text, "an IPv6 address stands in brackets, as in [::1]:8081");
  }
  if (host.empty()) return invalid(text, "it names no host");
  if (std::any_of(host.begin(), host.end(), [](char c) { return c <= ' ' || c == '/'; })) {
    return invalid(text, "a host name has no such characters");
  }

  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), port);
  if (error != std::errc() || end != digits.end() || port == 0) {
    return invalid(text, "a port is a number from 1 to 65535");
  }
  return Address{.host = std::string(host), .port = port};
}

std::string to_string(const Address& address) {
  if (address.is_unix()) return std::string(kUnixPrefix) + address.unix_path;
  const bool bracketed = address.host.find(':') != std::string::npos;
  return (bracketed ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace zap
