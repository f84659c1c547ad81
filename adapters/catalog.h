// adapters/catalog.h - every protocol that a listener may speak. To add one, add it here.

#pragma once

#include <string_view>
#include <vector>

#include "adapters/adapter.h"

namespace zap {

/// Null for a name that no protocol has. The object lives as long as the process.
const Protocol* find_protocol(std::string_view name);

/// For error messages, in the order of the documentation.
std::vector<std::string_view> protocol_names();

}  // namespace zap
