// proxy/app/protocol_of.h - the adapter that the configuration names.

#pragma once

#include <string>
#include <string_view>

#include "adapters/catalog.h"
#include "config/config.h"
#include "core/result.h"

namespace zap {

constexpr std::string_view name_of(config::ListenerProtocol protocol) {
  switch (protocol) {
    case config::ListenerProtocol::kHttp:
      return "http";
    case config::ListenerProtocol::kRedis:
      return "redis";
    case config::ListenerProtocol::kCapnp:
      return "capnp";
    case config::ListenerProtocol::kCallback:
      return "callback";
  }
  return "";
}

/// The error names what this build cannot speak, and what it can.
inline Result<const Protocol*> protocol_of(config::ListenerProtocol protocol) {
  if (const Protocol* found = find_protocol(name_of(protocol))) return found;
  std::string known;
  for (const std::string_view name : protocol_names()) known.append(" ").append(name);
  return Error{ErrorCode::kInvalid, "protocol " + std::string(name_of(protocol)) +
                                        " is not spoken by this build, which has:" + known};
}

}  // namespace zap
