// proxy/open_files.h - the files that the process may open, and what they leave for clients.
//
// A node that cannot open a file for its log has to stop, so the log, the peers and the application
// have theirs put by, and clients get what is left of the system's limit.

#pragma once

#include <cstdint>
#include <string>

#include "config/config.h"
#include "core/result.h"

namespace zap {

/// The system's limit for this process, after raising the soft one to the hard one.
std::uint64_t open_files_allowed();

struct ClientRoom {
  std::uint32_t clients = 0;  ///< limits.connections, or fewer
  std::string shortage;       ///< in a sentence: why they are fewer; empty: they are not
};

/// An error where not one client would fit.
Result<ClientRoom> room_for_clients(const config::Config& config, std::uint64_t files_allowed);

}  // namespace zap
