#include "proxy/run.h"

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>

#include "core/limits.h"
#include "proxy/face/logging.h"
#include "proxy/net/event_loop.h"
#include "proxy/sidecar.h"

namespace zap {

namespace {

/// Connections of clients and peers, segments, the application: the usual 1,024 are soon used up.
void allow_open_files(std::size_t needed) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur < needed) {
    log_warning("few files may be open", {{"limit", std::uint64_t{files.rlim_cur}},
                                          {"needed", std::uint64_t{needed}},
                                          {"way_out", "raise it with ulimit -n"}});
  }
}

}  // namespace

int run_sidecar(const config::Config& config, const RunOptions& options) {
  start_logging(config.logging);
  std::signal(SIGPIPE, SIG_IGN);
  allow_open_files(config.limits.connections + limits::kRefusedClients + limits::kStrangers +
                   limits::kOtherFiles);

  EventLoop loop;
  int exit_status = EXIT_SUCCESS;
  auto sidecar = Sidecar::start(loop, config, options, [&](const Error& error) {
    log_error("stopped: this node must not go on", {{"why", error.message}});
    exit_status = EXIT_FAILURE;
    loop.stop();
  });
  if (!sidecar) {
    log_error("cannot start", {{"why", sidecar.error().message}});
    return EXIT_FAILURE;
  }

  bool stopping = false;
  const auto stop = [&] {
    if (std::exchange(stopping, true)) std::_Exit(EXIT_FAILURE);
    log_info("stopping");
    (*sidecar)->stop([&] { loop.stop(); });
  };
  loop.on_signal(SIGTERM, stop);
  loop.on_signal(SIGINT, stop);
  loop.run();

  log_info("stopped", {{"status", exit_status}});
  return exit_status;
}

}  // namespace zap
