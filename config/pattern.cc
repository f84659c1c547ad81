#include "config/pattern.h"

#include <algorithm>
#include <optional>

namespace zap::config {
namespace {

constexpr std::size_t kSegmentsMax = 64;

Error invalid(std::string_view text, std::string_view why) {
  return {ErrorCode::kInvalid, "'" + std::string(text) + "' " + std::string(why)};
}

/// The pieces between slashes; "/" has one, which is empty.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  std::size_t begin = 1;
  while (true) {
    const std::size_t end = path.find('/', begin);
    if (end == std::string_view::npos) break;
    segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  segments.push_back(path.substr(begin));
  return segments;
}

Result<Segment> parse_segment(std::string_view text, std::string_view segment) {
  if (segment == "**") return Segment{Segment::Kind::kRest, {}};
  if (segment.find('*') != std::string_view::npos) {
    return invalid(text, "has a * inside a segment; ** stands alone, as the last segment");
  }
  if (segment.find_first_of("{}") == std::string_view::npos) {
    return Segment{Segment::Kind::kLiteral, std::string(segment)};
  }
  const bool whole = segment.size() > 2 && segment.front() == '{' && segment.back() == '}' &&
                     segment.find_first_of("{}", 1) == segment.size() - 1;
  if (!whole) return invalid(text, "has a brace inside a segment; {name} is a whole segment");
  return Segment{Segment::Kind::kName, std::string(segment.substr(1, segment.size() - 2))};
}

Result<std::vector<Segment>> parse_path(std::string_view text, std::string_view path) {
  if (path.find_first_of("?#") != std::string_view::npos) {
    return invalid(text, "has a query or fragment; match the path alone");
  }
  std::vector<Segment> segments;
  for (const std::string_view piece : split(path)) {
    if (!segments.empty() && segments.back().kind == Segment::Kind::kRest) {
      return invalid(text, "goes on after **; ** is the last segment");
    }
    auto segment = parse_segment(text, piece);
    if (!segment) return segment.error();
    segments.push_back(std::move(*segment));
  }
  if (segments.size() > kSegmentsMax) {
    return invalid(text, "has " + std::to_string(segments.size()) + " segments; the most is " +
                             std::to_string(kSegmentsMax));
  }
  return segments;
}

}  // namespace

Result<Pattern> parse_pattern(std::string_view text) {
  if (text.empty()) return invalid(text, "is empty; write METHOD PATH, as in \"POST /orders\"");

  const std::size_t space = text.find(' ');
  const bool grpc = text[0] == '/';
  if (space == std::string_view::npos && !grpc) {
    return Pattern{Pattern::Kind::kName, {}, {{Segment::Kind::kLiteral, std::string(text)}}};
  }
  const std::string_view method = grpc ? "" : text.substr(0, space);
  const std::string_view path = grpc ? text : text.substr(space + 1);
  if (!std::all_of(method.begin(), method.end(),
                   [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; })) {
    return invalid(text,
                   "does not begin with an HTTP method; methods are in upper case, as in "
                   "\"POST /orders\"");
  }
  if (path.empty() || path[0] != '/' || path.find(' ') != std::string_view::npos) {
    return invalid(text, "is not METHOD PATH; write one space, then a path that starts with /");
  }
  auto segments = parse_path(text, path);
  if (!segments) return segments.error();
  if (grpc && segments->size() != 2 && segments->back().kind != Segment::Kind::kRest) {
    return invalid(text,
                   "is no gRPC method; write \"/package.Service/Method\", or put an HTTP "
                   "method before the path");
  }
  return Pattern{grpc ? Pattern::Kind::kGrpc : Pattern::Kind::kHttp, std::string(method),
                 std::move(*segments)};
}

bool matches(const Pattern& pattern, std::string_view path) {
  if (path.empty() || path[0] != '/') return false;
  const std::vector<std::string_view> pieces = split(path);
  std::size_t at = 0;
  for (const Segment& segment : pattern.path) {
    if (segment.kind == Segment::Kind::kRest) return true;
    if (at == pieces.size()) return false;
    const std::string_view piece = pieces[at++];
    if (segment.kind == Segment::Kind::kName ? piece.empty() : piece != segment.text) return false;
  }
  return at == pieces.size();
}

Overlap overlap(const Pattern& first, const Pattern& second) {
  if (first.kind != second.kind || first.method != second.method) return Overlap::kNone;

  bool first_wider = false;
  bool second_wider = false;
  const auto kind_at = [](const Pattern& pattern, std::size_t i) {
    return i < pattern.path.size() ? std::optional(pattern.path[i].kind) : std::nullopt;
  };
  for (std::size_t i = 0; i < first.path.size() || i < second.path.size(); ++i) {
    const auto a = kind_at(first, i);
    const auto b = kind_at(second, i);
    if (a == Segment::Kind::kRest || b == Segment::Kind::kRest) {
      first_wider |= b != Segment::Kind::kRest;
      second_wider |= a != Segment::Kind::kRest;
      break;
    }
    if (!a || !b) return Overlap::kNone;

    const std::string& a_text = first.path[i].text;
    const std::string& b_text = second.path[i].text;
    if (a == Segment::Kind::kLiteral && b == Segment::Kind::kLiteral) {
      if (a_text != b_text) return Overlap::kNone;
    } else if (a == Segment::Kind::kLiteral) {
      if (a_text.empty()) return Overlap::kNone;
      second_wider = true;
    } else if (b == Segment::Kind::kLiteral) {
      if (b_text.empty()) return Overlap::kNone;
      first_wider = true;
    }
  }
  if (first_wider && second_wider) return Overlap::kAmbiguous;
  if (first_wider) return Overlap::kSecondInFirst;
  return second_wider ? Overlap::kFirstInSecond : Overlap::kEqual;
}

}  // namespace zap::config
