// proxy/app/app_resume.h - after which index an application goes on: the rules, apart from the
// sockets.
//
// Asked each time that the ordered connection has opened. docs/application_state.md has the same
// rules as a table.
//
// Threads: any; pure.

#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "core/ids.h"

namespace zap {

/// `run --app-is`: what an operator says where nothing else tells.
enum class AppIs { kUnsaid, kEmpty, kKept };

/// What is known when the ordered connection has opened.
struct AppSituation {
  config::AppState state = config::AppState::kMemory;
  bool answers_index = false;   ///< app.applied_index is configured
  bool supervised = false;      ///< we can restart it
  bool settled_before = false;  ///< not the first time in this process
  bool quarantined = false;     ///< it has diverged
  AppIs app_is = AppIs::kUnsaid;
  Index decided_at_start = 0;  ///< the newest index of the log when this process started
  std::string_view run;        ///< at the other end; empty: nothing tells

  // What AppProgress holds.
  bool known = false;
  std::string_view known_run;
  Index answered = 0;
  Index sent = 0;
  Index ever_sent = 0;
};

struct AppResume {
  enum class Action {
    kGoOn,     ///< with the index behind `after`
    kAsk,      ///< which index it has
    kRestart,  ///< the child: it may have executed a call that it did not answer
    kWait,     ///< for an operator
  };
  Action action = Action::kWait;
  Index after = 0;
  bool same_run = false;  ///< the marks go on; otherwise a new run begins
  std::string why;        ///< for the log, where it is not kGoOn
};

AppResume resume(const AppSituation& situation);

}  // namespace zap
