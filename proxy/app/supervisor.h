// proxy/app/supervisor.h - the application as our child: `run -- COMMAND`.
//
// Started, watched, started again when it dies (with growing pauses when it dies at once), and
// stopped with us. The kernel kills it when we are killed. It leads a process group of its own,
// which goes with it. Its output is ours; it has no input.
//
// Threads: lives on the main loop, and must be started by the thread that lives as long as the
// process: the kernel takes the death of that thread for ours.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/result.h"
#include "proxy/net/event_loop.h"

namespace zap {

class Supervisor {
 public:
  struct Settings {
    std::vector<std::string> command;  ///< the program, looked up in PATH, and its arguments
    std::vector<Address> addresses;    ///< where it is going to listen
    Duration grace = std::chrono::seconds(10);  ///< from SIGTERM to SIGKILL
  };

  Supervisor(EventLoop& loop, Settings settings);
  /// Kills what still runs.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Once. Fails where the command cannot be run, or somebody listens on its addresses already.
  Result<void> start();

  /// The child that runs (app_identity.h); empty while none does, or it is being stopped.
  const std::string& run() const { return run_; }
  pid_t pid() const { return pid_; }  ///< 0: none
  std::uint64_t starts() const { return starts_; }

  /// Stops the child and starts it again.
  void restart(const std::string& why);

  /// Stops the child for good; `stopped` follows once it is gone, or at once.
  void stop(std::function<void()> stopped);

 private:
  Result<void> spawn();
  void terminate();
  void reap();
  void start_again(Duration pause);

  EventLoop& loop_;
  const Settings settings_;
  pid_t pid_ = 0;
  std::string run_;
  std::uint64_t starts_ = 0;
  Instant started_at_{};
  Duration pause_{};  ///< before the next start, grows while the child dies young
  bool restarting_ = false;
  bool stopping_ = false;
  std::function<void()> stopped_;
  Timer kill_;
  Timer start_;
  /// What the loop's signal handler watches: it outlives us.
  std::shared_ptr<Supervisor*> self_;
};

}  // namespace zap
