#include "adapters/proxy_error.h"

#include <array>

namespace zap {
namespace {

constexpr std::array<std::string_view, kProxyErrorCodes> kNames = {
    "no_quorum",       "draining",        "starting",  "overloaded",        "outcome_unknown",
    "app_unreachable", "app_quarantined", "too_stale", "index_not_reached", "too_large",
    "malformed",       "rejected",        "loop",      "answers_differ",    "key_in_flight",
    "key_reused",      "answer_lost",
};

}  // namespace

std::string_view to_string(ProxyErrorCode code) {
  return kNames.at(static_cast<std::size_t>(code));
}

}  // namespace zap
