#include "proxy/app/app_resume.h"

namespace zap {

namespace {

using Action = AppResume::Action;

AppResume go_on(Index after) { return {.action = Action::kGoOn, .after = after}; }
AppResume ask() { return {.action = Action::kAsk, .why = "which index does it have?"}; }

/// The run that the marks speak of: only a call that it was sent and did not answer is in doubt.
AppResume same_run(const AppSituation& now) {
  AppResume result = go_on(now.answered);
  if (now.sent > now.answered) {
    const bool forgets = now.state == config::AppState::kMemory;
    if (now.answers_index) {
      result = ask();
    } else if (forgets && now.supervised) {
      result = {.action = Action::kRestart,
                .why = "its connection broke before it had answered call " +
                       std::to_string(now.answered + 1) +
                       ", which it may have executed: a replay executes each call once"};
    }
    // Otherwise that call is sent again, marked as a replay: at least once.
  }
  result.same_run = true;
  return result;
}

AppResume as_the_operator_says(const AppSituation& now) {
  switch (now.app_is) {
    case AppIs::kEmpty:
      return go_on(0);
    case AppIs::kKept:
      return go_on(now.known ? now.answered : now.decided_at_start);
    case AppIs::kUnsaid:
      break;
  }
  return {.action = Action::kWait,
          .why =
              "nothing tells whether the application still has its state; start the sidecar "
              "with --app-is empty or --app-is kept, or configure app.instance or "
              "app.applied_index"};
}

}  // namespace

AppResume resume(const AppSituation& now) {
  if (now.quarantined && now.app_is == AppIs::kEmpty && !now.settled_before) return go_on(0);
  const bool run_tells = !now.run.empty();
  if (!run_tells && now.answers_index) return ask();
  if (now.known && now.run == now.known_run && (run_tells || now.settled_before)) {
    return same_run(now);
  }
  if (now.answers_index) return ask();

  const bool nothing_was_sent = now.known ? now.ever_sent == 0 : now.decided_at_start == 0;
  if (nothing_was_sent) return go_on(0);

  if (now.state == config::AppState::kDurable) {
    return now.known ? go_on(now.answered) : as_the_operator_says(now);
  }
  const bool restarted = run_tells && (now.known || now.supervised);
  return restarted ? go_on(0) : as_the_operator_says(now);
}

}  // namespace zap
