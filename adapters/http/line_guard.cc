#include "adapters/http/line_guard.h"

namespace zap::http {
namespace {

/// May stand anywhere in a line: everything but control characters, of which a tab is allowed.
bool is_text(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return (code >= 0x20 && code != 0x7f) || code == '\t';
}

}  // namespace

LineGuard::Scan LineGuard::scan(std::string_view bytes) {
  std::size_t at = 0;
  const auto bad = [&](const char* reason) { return Scan{Verdict::kBad, at, reason}; };

  while (at < bytes.size()) {
    if (after_cr_) {
      if (bytes[at] != '\n') return bad("a CR is not followed by LF");
      ++at;
      after_cr_ = false;
      first_line_ = false;
      if (line_start_) return {Verdict::kEmptyLine, at, nullptr};
      line_start_ = true;
      continue;
    }
    if (line_start_ && (bytes[at] == ' ' || bytes[at] == '\t')) {
      return bad(first_line_ ? "the first line begins with a blank"
                             : "a header is folded over several lines");
    }
    const std::size_t begin = at;
    while (at < bytes.size() && is_text(bytes[at])) ++at;
    if (at > begin) line_start_ = false;
    if (at == bytes.size()) break;
    if (bytes[at] == '\n') return bad("a line ends with LF alone; it must end with CR LF");
    if (bytes[at] != '\r') return bad("a control character stands in a line");
    ++at;
    after_cr_ = true;
  }
  return {Verdict::kMore, at, nullptr};
}

}  // namespace zap::http
