#include "adapters/http/line_guard.h"

namespace zap::http {

LineGuard::Scan LineGuard::scan(std::string_view bytes) {
  const auto bad = [](std::size_t at, const char* reason) {
    return Scan{Verdict::kBad, at, reason};
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (after_cr_) {
      if (byte != '\n') return bad(i, "a CR is not followed by LF");
      after_cr_ = false;
      first_line_ = false;
      if (line_start_) return {Verdict::kEmptyLine, i + 1, nullptr};
      line_start_ = true;
      continue;
    }
    if (byte == '\r') {
      after_cr_ = true;
      continue;
    }
    if (byte == '\n') return bad(i, "a line ends with LF alone; it must end with CR LF");
    if (line_start_ && (byte == ' ' || byte == '\t')) {
      return bad(i, first_line_ ? "the first line begins with a blank"
                                : "a header is folded over several lines");
    }
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
      return bad(i, "a control character stands in a line");
    }
    line_start_ = false;
  }
  return {Verdict::kMore, bytes.size(), nullptr};
}

}  // namespace zap::http
