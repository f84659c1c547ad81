// proxy/clients/client_load.h - what all client connections take together, over all listeners.
//
// Threads: lives on the main loop, as the connections do.

#pragma once

#include <cstddef>

namespace zap {

struct ClientLoad {
  std::size_t connections_most = 1024;
  const char* who_bounds = "limits.connections allows";  ///< them, for who is refused
  std::size_t connections = 0;
  std::size_t refused = 0;  ///< ever, for being too many

  /// Calls that are still arriving: beyond the bound, limits.queue_bytes, they are refused.
  std::size_t unfinished_most = 64'000'000;
  std::size_t unfinished_bytes = 0;

  std::size_t output_bytes = 0;  ///< answers that their clients have not taken
};

}  // namespace zap
