// proxy/app/local_reads.h - calls that the application beside us answers: local reads,
// passthrough.
//
// A read that names an index which the application has not applied yet waits for it (read your
// writes). Nothing here is ordered and nothing leaves this node.
//
// Threads: lives on the main loop.

#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "config/config.h"
#include "proxy/app/applier.h"
#include "proxy/clients/client.h"
#include "proxy/face/metrics.h"
#include "proxy/net/event_loop.h"

namespace zap {

class LocalReads {
 public:
  /// Both outlive it.
  LocalReads(Applier& app, Metrics& metrics) : app_(app), metrics_(metrics) {}

  void read(std::weak_ptr<Client> client, config::Mode mode, ClientCall call, Duration timeout);

  /// The application has answered everything up to `index`: reads that waited for it go on.
  void applied_up_to(Index index);
  /// Ends those that waited too long. To be called now and then.
  void expire(Instant now);

  /// Not answered yet.
  std::size_t waiting() const { return waiting_.size() + asked_; }

 private:
  struct Waiting {
    std::weak_ptr<Client> client;
    config::Mode mode;
    ClientCall call;
    Instant deadline;
  };

  void send(Waiting read);
  void refuse(const Waiting& read, ProxyErrorCode code, std::string message);

  Applier& app_;
  Metrics& metrics_;
  std::size_t asked_ = 0;                  ///< the application has them
  std::multimap<Index, Waiting> waiting_;  ///< by the index that they wait for
};

}  // namespace zap
