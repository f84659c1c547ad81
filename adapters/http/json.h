// adapters/http/json.h - the door to nlohmann's JSON: error bodies, and answers without the fields
// that may differ between nodes.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zap::http {

/// `text` as a JSON string, quotes included. Bytes that are not UTF-8 are replaced.
std::string json_quoted(std::string_view text);

/// `body` in one canonical spelling without what `paths` name: "$.updated_at", "$.items[0].id",
/// "$.items[*].id". A path that leads nowhere is no error. What is not JSON, or
/// nested more than 64 deep, comes back as it is.
std::string json_without(std::string_view body, const std::vector<std::string>& paths);

}  // namespace zap::http
