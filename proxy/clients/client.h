// proxy/clients/client.h - whoever made a call and waits for its answer, as the router sees it.
//
// A client may go away at any time: whoever answers later holds a weak_ptr.
//
// Threads: its loop's.

#pragma once

#include <cstdint>

#include "adapters/adapter.h"

namespace zap {

class Client {
 public:
  virtual ~Client() = default;

  /// Exactly one of the two for each call; `sequence` is the ClientCall's.
  virtual void answer(std::uint64_t sequence, const Answer& answer) = 0;
  virtual void refuse(std::uint64_t sequence, const ProxyError& error) = 0;
};

}  // namespace zap
