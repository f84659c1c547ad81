// proxy/app/local_reads.h - calls that the application beside us answers: local reads,
// passthrough.
//
// A read that names an index which the application has not applied yet waits for it (read your
// writes), and so does one whose max_staleness is exceeded. Nothing here is ordered and nothing
// leaves this node.
//
// Threads: lives on the main loop.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
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
  /// Everything acknowledged before it is executed by an application that has all up to `applied`.
  using AsOf = std::function<Instant(Index applied)>;

  /// All outlive it.
  LocalReads(Applier& app, Metrics& metrics, AsOf as_of)
      : app_(app), metrics_(metrics), as_of_(std::move(as_of)) {}

  /// `method` outlives the read.
  void read(std::weak_ptr<Client> client, const config::Method& method, ClientCall call,
            Duration timeout);

  /// The application has answered everything up to `index`: reads that waited for it go on.
  void applied_up_to(Index index);
  /// Something new is known about the other nodes: reads that were too stale may go on.
  void look_again();
  /// Ends those that waited too long. To be called now and then.
  void expire(Instant now);

  /// Not answered yet.
  std::size_t waiting() const { return waiting_.size() + stale_.size() + asked_; }

 private:
  struct Waiting {
    std::weak_ptr<Client> client;
    const config::Method* method;
    ClientCall call;
    Instant deadline;
  };

  bool is_fresh_enough(const Waiting& read) const;
  void send_or_wait(Waiting read);
  void send(Waiting read);
  void refuse(const Waiting& read, ProxyErrorCode code, std::string message);

  Applier& app_;
  Metrics& metrics_;
  const AsOf as_of_;
  std::size_t asked_ = 0;                  ///< the application has them
  std::multimap<Index, Waiting> waiting_;  ///< by the index that they wait for
  std::deque<Waiting> stale_;              ///< wait for news from the other nodes
};

}  // namespace zap
