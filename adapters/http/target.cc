#include "adapters/http/target.h"

#include <optional>

#include "adapters/http/text.h"

namespace zap::http {
namespace {

Error malformed(std::string_view target, const char* reason) {
  constexpr std::size_t kShown = 200;
  return {ErrorCode::kInvalid,
          "the request target '" + std::string(target.substr(0, kShown)) + "' " + reason};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The byte that "%41" at `at` stands for.
std::optional<char> percent_decoded(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size()) return std::nullopt;
  const int high = hex_digit(text[at + 1]);
  const int low = hex_digit(text[at + 2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

/// Why servers could disagree about the decoded segment, or null.
const char* doubt_about(std::string_view segment, bool last) {
  if (segment == "." || segment == "..") return "has a dot segment";
  if (segment.empty() && !last) return "has an empty segment";
  return nullptr;
}

/// Decodes `path` into `decoded`, or says what is wrong.
const char* decode(std::string_view path, std::string& decoded) {
  decoded.reserve(path.size());
  std::size_t segment = 1;  // behind the first slash
  for (std::size_t i = 0; i < path.size(); ++i) {
    char byte = path[i];
    if (byte == '%') {
      const auto meant = percent_decoded(path, i);
      if (!meant) return "has a percent sign without two hexadecimal digits";
      byte = *meant;
      if (byte == '/') return "has an encoded slash";
      i += 2;
    } else if (byte == '/' && i > 0) {
      const auto text = std::string_view(decoded).substr(segment);
      if (const char* doubt = doubt_about(text, false)) return doubt;
      segment = decoded.size() + 1;
    } else if (static_cast<unsigned char>(byte) >= 0x80) {
      return "has a byte beyond ASCII; percent-encode it";
    }
    if (byte == '\\') return "has a backslash";
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) return "has a control character";
    decoded += byte;
  }
  return doubt_about(std::string_view(decoded).substr(segment), true);
}

}  // namespace

Result<Target> parse_target(std::string_view method, std::string_view target) {
  Target result;
  result.origin_form = target;
  if (target == "*") {
    if (method != "OPTIONS") return malformed(target, "is for OPTIONS only");
    result.path = "*";
    return result;
  }
  if (method == "CONNECT") return malformed(target, "asks for a tunnel, which is not offered here");
  if (target.find('#') != std::string_view::npos) return malformed(target, "has a fragment");

  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!starts_with(target, scheme)) continue;
    const std::string_view rest = target.substr(scheme.size());
    const auto end = rest.find_first_of("/?");
    result.authority = rest.substr(0, end);
    result.origin_form = end == std::string_view::npos ? "/" : rest.substr(end);
    if (result.authority.empty() || result.authority.find('@') != std::string_view::npos) {
      return malformed(target, "has no host, or a user before it");
    }
  }
  if (result.origin_form.empty() || result.origin_form.front() != '/') {
    return malformed(target, "does not begin with a slash");
  }
  const std::string_view path = result.origin_form.substr(0, result.origin_form.find('?'));
  if (const char* doubt = decode(path, result.path)) return malformed(target, doubt);
  return result;
}

}  // namespace zap::http
