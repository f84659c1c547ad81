#include "proxy/app/app_health.h"

namespace zap {

std::string AppHealth::text() const {
  switch (state) {
    case State::kStarting:
      return "starting: the application was not reached yet";
    case State::kOk:
      return "ok";
    case State::kUnreachable:
      return "unreachable: " + error;
    case State::kReplaying:
      return "replaying " + std::to_string(applied) + "/" + std::to_string(target);
    case State::kBlocked:
      return "blocked: call " + std::to_string(blocked_at) + " broke the application " +
             std::to_string(attempts) + " times in a row: " + error;
    case State::kUndecided:
      return "waiting: " + error;
    case State::kQuarantined:
      return "quarantined: its answer to call " + std::to_string(diverged_at) +
             " was not that of the other copies" +
             (applied < target
                  ? "; replaying " + std::to_string(applied) + "/" + std::to_string(target)
                  : std::string());
  }
  return {};
}

}  // namespace zap
