// adapters/http/target.h - from a request-target to the path that the methods table matches.
//
// The table decides how a call is treated, the application what it does: they must never read two
// paths into one target. So the target goes to the application as it came, and every spelling that
// servers are known to resolve differently is refused instead of normalized: dot segments, empty
// segments, encoded slashes, backslashes, controls, and percent signs without two digits.

#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace zap::http {

struct Target {
  std::string_view origin_form;  ///< "/path?query", or "*": what the application gets
  std::string_view authority;    ///< of an absolute-form target; it then stands for Host
  std::string path;              ///< decoded, without the query
};

/// RFC 9112, 3.2. The views point into `target`.
Result<Target> parse_target(std::string_view method, std::string_view target);

}  // namespace zap::http
