#include "proxy/face/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

namespace zap {
namespace {

std::atomic<LogFormat> current_format{LogFormat::kText};

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("zap", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return "trace";
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

/// In quotes, with everything escaped that could end the string, the line or the terminal's mood.
std::string in_quotes(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
}

std::string formatted(const LogField::Value& value, LogFormat format) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return format == LogFormat::kText && is_plain(*text) ? *text : in_quotes(*text);
  }
  if (const auto* yes = std::get_if<bool>(&value)) return *yes ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return std::to_string(*number);
  return nlohmann::json(std::get<double>(value)).dump();
}

}  // namespace

std::string format_log_line(LogFormat format, LogLevel level, std::string_view event,
                            LogFields fields) {
  std::string line;
  if (format == LogFormat::kText) {
    line.append(name_of(level)).append(" ").append(event);
    for (const LogField& field : fields) {
      line.append(" ").append(field.name).append("=").append(formatted(field.value, format));
    }
  } else {
    line.append("\"level\":\"")
        .append(name_of(level))
        .append("\",\"event\":")
        .append(in_quotes(event));
    for (const LogField& field : fields) {
      line.append(",")
          .append(in_quotes(field.name))
          .append(":")
          .append(formatted(field.value, format));
    }
  }
  return line;
}

void start_logging(const config::Logging& logging) {
  current_format = logging.format;
  logger().set_pattern(logging.format == LogFormat::kText
                           ? "%Y-%m-%dT%H:%M:%S.%eZ %v"
                           : "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v}",
                       spdlog::pattern_time_type::utc);
  logger().set_level(spdlog_level(logging.level));
}

void log_line(LogLevel level, std::string_view event, LogFields fields) {
  if (!logger().should_log(spdlog_level(level))) return;
  const std::string line = format_log_line(current_format, level, event, fields);
  logger().log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace zap
