#include "proxy/answers/comparisons.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace zap {
namespace {

constexpr std::string_view kHeader = "header:";

Comparison::Mode mode_of(config::Compare compare) {
  switch (compare) {
    case config::Compare::kFull:
      return Comparison::Mode::kFull;
    case config::Compare::kStatus:
      return Comparison::Mode::kStatus;
    case config::Compare::kNone:
      return Comparison::Mode::kNone;
  }
  return Comparison::Mode::kFull;
}

Comparison comparison_of(const config::Method& method) {
  Comparison comparison{.mode = mode_of(method.compare)};
  for (const std::string& ignored : method.ignore) {
    if (ignored.substr(0, kHeader.size()) == kHeader) {
      std::string name = ignored.substr(kHeader.size());
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      comparison.ignored_headers.push_back(std::move(name));
    } else {
      comparison.ignored_paths.push_back(ignored);
    }
  }
  return comparison;
}

}  // namespace

Comparisons::Comparisons(const std::vector<config::Listener>& listeners) {
  for (const config::Listener& listener : listeners) {
    ByMethod& methods = by_listener_[listener.name];
    for (const config::Method& method : listener.methods) {
      methods.emplace(method.match, comparison_of(method));
    }
  }
}

const Comparison& Comparisons::of(std::string_view listener, std::string_view method) const {
  const auto methods = by_listener_.find(listener);
  if (methods == by_listener_.end()) return full_;
  const auto found = methods->second.find(method);
  return found == methods->second.end() ? full_ : found->second;
}

Digest Comparisons::digest() const {
  Hasher hasher("zap comparisons");
  for (const auto& [listener, methods] : by_listener_) {
    hasher.add(std::string_view(listener)).add(std::uint64_t{methods.size()});
    for (const auto& [match, comparison] : methods) {
      hasher.add(std::string_view(match)).add(static_cast<std::uint64_t>(comparison.mode));
      for (const auto* names : {&comparison.ignored_headers, &comparison.ignored_paths}) {
        hasher.add(std::uint64_t{names->size()});
        for (const std::string& name : *names) hasher.add(std::string_view(name));
      }
    }
  }
  return hasher.finish();
}

}  // namespace zap
