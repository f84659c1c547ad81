// proxy/clients/router.h - from a client's call to whoever answers it, and back.
//
// The methods table says what a call is. Ordered ones (replicated, and at present linearizable and
// leader reads, which a place in the order serves with room to spare) pass admission, get a number
// and are submitted to the engine, all those of one loop turn together. Local reads and passthrough
// go to the application beside us. Every call is answered exactly once.
//
// Admission comes before the number, since numbers have no gaps: what is refused here never left
// this sidecar and may be tried again freely.
//
// Threads: lives on the main loop.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "config/config.h"
#include "consensus/engine.h"
#include "core/membership.h"
#include "proxy/app/applier.h"
#include "proxy/app/local_reads.h"
#include "proxy/clients/calls.h"
#include "proxy/clients/client.h"
#include "proxy/driver.h"
#include "proxy/face/metrics.h"
#include "proxy/net/event_loop.h"

namespace zap {

/// What a listener's calls need: its table, and the application that they are for.
struct Route {
  const config::Listener* listener = nullptr;
  config::MethodTable methods;
  Applier* app = nullptr;
  LocalReads* reads = nullptr;
};

struct RouterSettings {
  NodeId self = 0;
  Incarnation incarnation = 1;
  Membership membership;
  config::Replies replies = config::Replies::kQuorum;
  config::Limits limits;
  Duration batch_timeout = std::chrono::milliseconds(10);  ///< a bundle's calls gather no longer
};

class Router {
 public:
  /// What it asks about the other members.
  struct Others {
    std::function<std::size_t()> connected;
    std::function<std::size_t()> apps_ready;  ///< whose applications answer
  };

  /// All outlive the router. `answers.ended` is the router's own.
  Router(EventLoop& loop, RouterSettings settings, Engine& engine, Driver& driver, Metrics& metrics,
         Others others, CallsHandlers answers);

  void handle(const std::shared_ptr<Client>& client, const Route& route, ClientCall call);

  /// Ends the waiting that lasted too long. To be called now and then.
  void tick(Instant now);

  /// Takes no further calls.
  void drain() { draining_ = true; }
  bool draining() const { return draining_; }

  /// Has lacked for a while what the others hold.
  bool is_behind() const;

  /// Why an ordered call would be refused at once; nothing where it would be taken.
  std::optional<ProxyError> refusal(const Applier& app) const;

  /// Why the application beside us cannot answer now.
  static std::optional<ProxyError> app_refusal(const Applier& app);

  Calls& calls() { return calls_; }
  const Calls& calls() const { return calls_; }
  std::size_t queue_bytes() const { return queue_bytes_; }

 private:
  /// f + 1 applications answer, here and elsewhere.
  bool enough_apps(bool ours) const;
  void order(const std::shared_ptr<Client>& client, const Route& route,
             const config::Method& method, ClientCall call);
  /// When this turn ends.
  void look_at_bundle();
  void submit_when_gathered();
  void submit();
  void ended(const WaitingCall& call, const CallEnd& end, const CallTimes& times);
  void refuse(Client& client, std::uint64_t sequence, config::Mode mode, const ProxyError& error);

  EventLoop& loop_;
  const RouterSettings settings_;
  Engine& engine_;
  Driver& driver_;
  Metrics& metrics_;
  const Others others_;

  Calls calls_;
  bool draining_ = false;
  Instant in_step_{};                 ///< when this node last held what the others hold
  std::size_t queue_bytes_ = 0;       ///< payload of calls that are waited for
  std::vector<Operation> to_submit_;  ///< the next bundle
  std::size_t to_submit_bytes_ = 0;
  bool submit_is_due_ = false;  ///< looked at when this turn ends
  Timer gather_;                ///< the bundle waits no longer
};

}  // namespace zap
