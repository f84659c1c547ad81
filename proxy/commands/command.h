// proxy/commands/command.h - one subcommand of zap-sidecar: its flags, and what it does.
//
// A new one is a file here and a line in proxy/main.cc, which alone knows the command-line library.
// Answers go to standard output, errors to standard error. Main thread.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace zap::commands {

/// The process's exit status.
enum Exit : int { kDone = 0, kFailed = 1, kUsage = 2, kUnreachable = 3 };

/// Where a command declares its flags. Each target keeps its value, the default, unless the flag
/// is given; `help` is shown beside it.
class Flags {
 public:
  virtual ~Flags() = default;
  virtual void text(const char* flag, std::string& target, const char* help) = 0;
  virtual void required_text(const char* flag, std::string& target, const char* help) = 0;
  virtual void texts(const char* flag, std::vector<std::string>& target, const char* help) = 0;
  virtual void choice(const char* flag, std::string& target, std::vector<std::string> choices,
                      const char* help) = 0;
  virtual void number(const char* flag, std::uint64_t& target, std::uint64_t least,
                      std::uint64_t most, const char* help) = 0;
  virtual void yes(const char* flag, bool& target, const char* help) = 0;
};

class Command {
 public:
  virtual ~Command() = default;

  /// One word, or two for a command of a group: "leader show".
  virtual std::string_view name() const = 0;
  virtual std::string_view help() const = 0;
  virtual void declare(Flags& flags) = 0;
  /// Whether `-- COMMAND ARGS...` may follow.
  virtual bool takes_child() const { return false; }
  /// `child` is what followed `--`.
  virtual Exit run(const std::vector<std::string>& child) = 0;
};

}  // namespace zap::commands
