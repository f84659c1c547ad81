// core/address.h - where something listens: "host:port" or "unix:/path".

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace zap {

struct Address {
  std::string host;        ///< a name or a literal, IPv6 without its brackets; empty for Unix
  std::uint16_t port = 0;  ///< 1 to 65535; 0 for Unix
  std::string unix_path;   ///< absolute; empty for TCP

  bool is_unix() const { return !unix_path.empty(); }
  friend bool operator==(const Address&, const Address&) = default;
};

/// Reads "127.0.0.1:8081", "[::1]:8081", "db.example:8081" or "unix:/run/app.sock".
Result<Address> parse_address(std::string_view text);

/// What parse_address reads.
std::string to_string(const Address& address);

}  // namespace zap
