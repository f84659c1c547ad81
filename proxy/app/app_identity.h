// proxy/app/app_identity.h - which run of an application answers at an address.
//
// A run is named by text that changes when the application is restarted and by nothing else: the
// process behind a Unix socket (its pid and start time), or the listening socket on loopback TCP
// (its inode), each with the machine's boot. Where nothing tells - an application on another host -
// the name is empty. An application behind a port mapper, or whose socket somebody else opened
// (systemd), shows their run: there `app.instance` tells better.
//
// Threads: any; reads /proc.

#pragma once

#include <optional>
#include <string>

#include "core/address.h"

namespace zap {

/// Whether run_at or run_of_peer can name the application at this address.
bool tells_runs(const Address& address);

/// Who listens at a loopback TCP address, or empty.
std::string run_at(const Address& address);

/// Who listens at the other end of a connected Unix socket, or empty.
std::string run_of_peer(int fd);

/// The process itself, or empty where it is gone.
std::string run_of_process(int pid);

/// Who listens at an address, for an error sentence: "python3 (pid 4711)", or "another process"
/// where the system does not tell. Nothing where nobody does.
std::optional<std::string> listener_at(const Address& address);

}  // namespace zap
