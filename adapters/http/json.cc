#include "adapters/http/json.h"

#include <nlohmann/json.hpp>

#include "adapters/http/text.h"

namespace zap::http {
namespace {

using Json = nlohmann::json;

/// Takes the first step off a path: "name", or what stands in brackets.
std::string_view next_step(std::string_view& path) {
  const bool bracket = path.front() == '[';
  path.remove_prefix(1);
  const auto end = path.find_first_of(bracket ? "]" : ".[");
  const std::string_view step = path.substr(0, end);
  path.remove_prefix(end == std::string_view::npos ? path.size() : end + (bracket ? 1 : 0));
  return step;
}

/// `path` begins at a step of its own: ".name" or "[0]". Recursion is as deep as the path.
void erase(Json& value, std::string_view path) {
  const std::string_view step = next_step(path);
  const bool last = path.empty();
  if (value.is_object()) {
    const auto found = value.find(std::string(step));
    if (found == value.end()) return;
    if (last) {
      value.erase(found);
    } else {
      erase(*found, path);
    }
  } else if (value.is_array()) {
    const auto number = parse_number(step);
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (step != "*" && number != i) continue;
      if (last) {
        value[i] = nullptr;
      } else {
        erase(value[i], path);
      }
    }
  }
}

}  // namespace

std::string json_quoted(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_without(std::string_view body, const std::vector<std::string>& paths) {
  constexpr int kDeepest = 64;
  bool too_deep = false;
  const auto watch_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kDeepest;
    return !too_deep;
  };
  Json value = Json::parse(body, watch_depth, /*allow_exceptions=*/false);
  if (too_deep || value.is_discarded()) return std::string(body);
  for (std::string_view path : paths) {
    if (path.size() > 1 && path.front() == '$') erase(value, path.substr(1));
  }
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace zap::http
