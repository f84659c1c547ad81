// proxy/run.h - `zap-sidecar run`: one sidecar from its start to its exit status.
//
// SIGTERM and SIGINT end it in order: nobody new is accepted, what was taken is finished (within
// limits.request_timeout), the log is marked clean. A second signal ends it at once.
//
// Threads: takes over the calling one as the main loop.

#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "proxy/app/applier.h"

namespace zap {

struct RunOptions {
  /// After `--`: the application, started and watched by us; empty: it runs by itself.
  std::vector<std::string> command;
  AppIs app_is = AppIs::kUnsaid;
};

/// The exit status: 0 stopped as asked; 1 could not start, or had to stop. What went wrong is
/// logged.
int run_sidecar(config::Config config, const RunOptions& options);

}  // namespace zap
