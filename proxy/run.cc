#include "proxy/run.h"

#include <csignal>
#include <cstdlib>

#include "proxy/event_loop.h"
#include "proxy/logging.h"
#include "proxy/sidecar.h"

namespace zap {

int run_sidecar(const config::Config& config, const RunOptions& options) {
  start_logging(config.logging);
  std::signal(SIGPIPE, SIG_IGN);

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
