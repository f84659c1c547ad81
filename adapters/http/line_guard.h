// adapters/http/line_guard.h - what every line of an HTTP/1 message must be, whoever parses it.
//
// llhttp, even strict, lets pass a bare LF after the request line and folded headers. Two parsers
// in a row that disagree about where a line ends are the root of request smuggling, so each byte of
// a head, of chunk framing and of trailers passes here first: lines end with CR LF and nothing else
// does, no line is folded, no control characters. RFC 9112, 2.2 and 5.2.

#pragma once

#include <cstddef>
#include <string_view>

namespace zap::http {

class LineGuard {
 public:
  enum class Verdict {
    kMore,       ///< every byte given was fine
    kEmptyLine,  ///< an empty line has ended at `consumed`
    kBad,        ///< `reason` says why
  };

  struct Scan {
    Verdict verdict = Verdict::kMore;
    std::size_t consumed = 0;
    const char* reason = nullptr;
  };

  /// Goes on where the last scan ended; stops behind an empty line.
  Scan scan(std::string_view bytes);

  /// The next byte begins a line.
  void restart() { *this = LineGuard(); }

 private:
  bool after_cr_ = false;
  bool line_start_ = true;
  bool first_line_ = true;  ///< nothing before it that a fold could continue
};

}  // namespace zap::http
