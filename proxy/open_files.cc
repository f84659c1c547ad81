#include "proxy/open_files.h"

#include <sys/resource.h>

#include <utility>

#include "core/limits.h"

namespace zap {

std::uint64_t open_files_allowed() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
  const rlim_t before = std::exchange(files.rlim_cur, files.rlim_max);
  return setrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_max : before;
}

Result<ClientRoom> room_for_clients(const config::Config& config, std::uint64_t files_allowed) {
  std::uint64_t put_by = limits::kOtherFiles + limits::kAdminConnections + 2 * limits::kStrangers +
                         2 * limits::kRefusedClients;  // the admin address has such clients, too
  for (const config::Listener& listener : config.listeners) {
    put_by += 1 + listener.app.connections;
  }
  const std::string wanted = std::to_string(config.limits.connections);
  const std::string files = "this process may open " + std::to_string(files_allowed) +
                            " files, and its log, peers and applications need " +
                            std::to_string(put_by) + " of them";
  const std::string way_out =
      "; allow it more, with ulimit -n, or LimitNOFILE= in a systemd unit: " +
      std::to_string(config.limits.connections + put_by) + " are enough";
  if (files_allowed <= put_by) return Error{ErrorCode::kIo, files + way_out};
  const std::uint64_t left = files_allowed - put_by;
  if (left >= config.limits.connections) return ClientRoom{config.limits.connections, {}};
  return ClientRoom{static_cast<std::uint32_t>(left),
                    "limits.connections is " + wanted + ", but no more than " +
                        std::to_string(left) + " clients are served at a time: " + files + way_out};
}

}  // namespace zap
