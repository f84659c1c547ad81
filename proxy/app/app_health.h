// proxy/app/app_health.h - how an application does, for /status, /readyz and metrics.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/ids.h"
#include "core/time.h"

namespace zap {

struct AppHealth {
  enum class State {
    kStarting,     ///< not connected yet
    kOk,           ///< connected, nothing to catch up with
    kUnreachable,  ///< no connection; `error` says why
    kReplaying,    ///< calls up to `target` are being read back from the log
    kBlocked,      ///< call `blocked_at` broke the application `attempts` times in a row
    kUndecided,    ///< nothing tells which calls the application has: wants `run --app-is`
    kQuarantined,  ///< its answer to call `diverged_at` was not that of a quorum
  };
  State state = State::kStarting;
  Index applied = 0;
  Index target = 0;
  Index blocked_at = 0;
  std::uint64_t attempts = 0;
  Index diverged_at = 0;
  std::optional<Instant> since;  ///< when it left kOk
  std::string error;

  bool ready() const { return state == State::kOk; }
  std::string text() const;  ///< "ok", or a sentence
};

}  // namespace zap
