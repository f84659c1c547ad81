#include "proxy/run.h"

#include <csignal>
#include <cstdlib>

#include "proxy/face/logging.h"
#include "proxy/net/event_loop.h"
#include "proxy/open_files.h"
#include "proxy/sidecar.h"

namespace zap {

int run_sidecar(config::Config config, const RunOptions& options) {
  start_logging(config.logging);
  std::signal(SIGPIPE, SIG_IGN);
  const auto room = room_for_clients(config, open_files_allowed());
  if (!room) {
    log_error("cannot start", {{"why", room.error().message}});
    return EXIT_FAILURE;
  }
  if (!room->shortage.empty()) log_warning("fewer clients", {{"why", room->shortage}});
  config.limits.connections = room->clients;

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
