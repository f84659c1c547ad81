// core/check.h - assertions that stay on in release builds.
//
// ZAP_CHECK guards what only a bug of ours can break. What peers, clients, disks and files can
// cause is never checked this way: it is a Result (core/result.h). A failed check prints where and
// what, then aborts: a replica that no longer understands its own state must not go on voting.

#pragma once

#include <sstream>
#include <string>

namespace zap {

[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const std::string& what);

}  // namespace zap

/// Aborts unless `condition` holds; the rest of the arguments is streamed into the message.
#define ZAP_CHECK(condition, what)                                                  \
  do {                                                                              \
    if (!(condition)) [[unlikely]] {                                                \
      std::ostringstream zap_check_message;                                         \
      zap_check_message << what;                                                    \
      ::zap::check_failed(__FILE__, __LINE__, #condition, zap_check_message.str()); \
    }                                                                               \
  } while (false)
