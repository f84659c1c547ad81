#include "adapters/catalog.h"

#include <array>

#include "adapters/http/protocol.h"

namespace zap {
namespace {

const auto& protocols() {
  static const http::HttpProtocol http;
  static const std::array<const Protocol*, 1> all = {&http};
  return all;
}

}  // namespace

const Protocol* find_protocol(std::string_view name) {
  for (const Protocol* protocol : protocols()) {
    if (protocol->name() == name) return protocol;
  }
  return nullptr;
}

std::vector<std::string_view> protocol_names() {
  std::vector<std::string_view> names;
  for (const Protocol* protocol : protocols()) names.push_back(protocol->name());
  return names;
}

}  // namespace zap
