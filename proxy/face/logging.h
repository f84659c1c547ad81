// proxy/face/logging.h - what operators read: one line per event, with names and values.
//
// A line is an event in a few words and its fields: `log_info("peer up", {{"peer", "node2"}})`.
// As text: `2026-01-01T00:00:00.000Z info peer up peer=node2`; as JSON, one object a line. At level
// info a healthy cluster is silent between its start and its stop: whatever happens per call is
// counted (proxy/face/metrics.h), not logged. spdlog stays behind this door.
//
// Threads: any.

#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "config/config.h"

namespace zap {

using config::LogFormat;
using config::LogLevel;

/// Says what is written from now on, to standard error. Before the first call: text, from kInfo.
void start_logging(const config::Logging& logging);

/// A name and its value; text is escaped wherever it could be taken for something else.
struct LogField {
  using Value = std::variant<std::string, std::int64_t, std::uint64_t, double, bool>;

  LogField(std::string_view field, std::string_view text) : name(field), value(std::string(text)) {}
  LogField(std::string_view field, const char* text) : LogField(field, std::string_view(text)) {}
  LogField(std::string_view field, const std::string& text)
      : LogField(field, std::string_view(text)) {}
  LogField(std::string_view field, bool yes) : name(field), value(yes) {}
  LogField(std::string_view field, double number) : name(field), value(number) {}
  template <std::integral Number>
  LogField(std::string_view field, Number number)
      : name(field),
        value(std::signed_integral<Number> ? Value(static_cast<std::int64_t>(number))
                                           : Value(static_cast<std::uint64_t>(number))) {}

  std::string_view name;
  Value value;
};
using LogFields = std::initializer_list<LogField>;

/// One line, as it would be written after the time: for both formats, and for tests.
std::string format_log_line(LogFormat format, LogLevel level, std::string_view event,
                            LogFields fields);

void log_line(LogLevel level, std::string_view event, LogFields fields);

inline void log_debug(std::string_view event, LogFields fields = {}) {
  log_line(LogLevel::kDebug, event, fields);
}
inline void log_info(std::string_view event, LogFields fields = {}) {
  log_line(LogLevel::kInfo, event, fields);
}
inline void log_warning(std::string_view event, LogFields fields = {}) {
  log_line(LogLevel::kWarning, event, fields);
}
inline void log_error(std::string_view event, LogFields fields = {}) {
  log_line(LogLevel::kError, event, fields);
}

}  // namespace zap
