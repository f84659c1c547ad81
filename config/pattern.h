// config/pattern.h - one pattern of the methods table: parsed, matched, compared with another.
//
// What a pattern means stands in config/methods.h. Pure functions; any thread.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace zap::config {

struct Segment {
  enum class Kind {
    kLiteral,  ///< exactly `text`, which may be empty (a path's closing slash)
    kName,     ///< {name}: one segment, not empty
    kRest,     ///< **: any number of segments, none included; only as the last
  };
  Kind kind = Kind::kLiteral;
  std::string text;
};

struct Pattern {
  enum class Kind { kHttp, kGrpc, kName };
  Kind kind = Kind::kHttp;
  std::string method;         ///< kHttp: "POST"
  std::vector<Segment> path;  ///< kName: one literal
};

Result<Pattern> parse_pattern(std::string_view text);

/// Whether a pattern covers a path ("/a/b"), looked at by itself: the table's reference.
bool matches(const Pattern& pattern, std::string_view path);

/// How the calls of two patterns lie to each other.
enum class Overlap {
  kNone,
  kFirstInSecond,  ///< the first is the more specific one
  kSecondInFirst,
  kEqual,      ///< they differ in names at most
  kAmbiguous,  ///< some calls match both, and neither is the more specific one
};
Overlap overlap(const Pattern& first, const Pattern& second);

}  // namespace zap::config
