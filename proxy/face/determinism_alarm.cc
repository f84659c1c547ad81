#include "proxy/face/determinism_alarm.h"

#include "proxy/face/logging.h"
#include "proxy/net/event_loop.h"

namespace zap {
namespace {

constexpr Duration kAgain = std::chrono::minutes(1);

std::string sentence(const std::string& method) {
  return "the application is not deterministic: " + method;
}

}  // namespace

void DeterminismAlarm::raise(const std::string& method, Index index, const std::string& answers) {
  const Instant now = read_clocks().instant;
  const auto [place, first] = logged_.try_emplace(method, now);
  if (!first && now - place->second < kAgain) return;
  place->second = now;
  log_error(sentence(method), {{"index", index}, {"answers", answers}});
}

std::vector<std::string> DeterminismAlarm::sentences() const {
  std::vector<std::string> all;
  for (const auto& [method, when] : logged_) all.push_back(sentence(method));
  return all;
}

}  // namespace zap
