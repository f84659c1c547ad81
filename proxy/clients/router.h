// proxy/clients/router.h - from a client's call to whoever answers it, and back.
//
// The methods table says what a call is. Replicated ones pass admission, get a number and are
// submitted to the engine, all those of one loop turn together, with a barrier for the turn's
// linearizable reads (proxy/reads; leader reads are served as linearizable ones). Local reads and
// passthrough go to the application beside us. Every call is answered exactly once.
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
#include <unordered_set>
#include <vector>

#include "config/config.h"
#include "consensus/engine.h"
#include "core/membership.h"
#include "proxy/app/applier.h"
#include "proxy/app/local_reads.h"
#include "proxy/clients/calls.h"
#include "proxy/clients/client.h"
#include "proxy/clients/route.h"
#include "proxy/driver.h"
#include "proxy/face/metrics.h"
#include "proxy/net/event_loop.h"
#include "proxy/reads/linearizable_reads.h"

namespace zap {

struct RouterSettings {
  NodeId self = 0;
  Incarnation incarnation = 1;
  Membership membership;
  config::Replies replies = config::Replies::kQuorum;
  Duration round_timeout = std::chrono::milliseconds(500);
  config::Limits limits;
  Duration batch_timeout = std::chrono::milliseconds(10);  ///< a bundle's calls gather no longer
};

class Router {
 public:
  /// What it asks about the members and their applications.
  struct Others {
    std::function<std::size_t()> connected;
    std::function<std::vector<NodeId>()> apps_ready;  ///< the others whose applications answer
    std::function<bool()> own_apps_are_ready;
    /// What another node's answer comes to, read as if our application had given it.
    std::function<Result<Reply>(const Call&, const Bytes& answer)> read_answer;
  };

  /// All outlive the router. `answers.ended` is the router's own.
  Router(EventLoop& loop, RouterSettings settings, Engine& engine, Driver& driver, Metrics& metrics,
         Others others, CallsHandlers answers);

  void handle(const std::shared_ptr<Client>& client, const Route& route, ClientCall call);

  /// What became of a call at its execution, whoever made it.
  void decided(const DecidedCall& decided, View view, Instant now);

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
  LinearizableReads& reads() { return reads_; }
  /// Ordered calls and reads that are not answered yet.
  std::size_t waiting() const { return calls_.waiting() + reads_.unanswered(); }
  std::size_t queue_bytes() const { return queue_bytes_; }

 private:
  /// f + 1 applications answer, here and elsewhere.
  bool enough_apps(bool ours) const;
  std::optional<ProxyError> refusal(const Route& route, const ClientCall& call) const;
  void order(const std::shared_ptr<Client>& client, const Route& route,
             const config::Method& method, ClientCall call);
  /// Gives the operation its name and deadline, and a place in the next bundle.
  void take(WaitingCall waiting, Operation operation);
  LinearizableReads::Handlers read_handlers();
  void read(const std::shared_ptr<Client>& client, const Route& route, const config::Method& method,
            ClientCall call);
  void order_read(const WaitingRead& read);
  void read_locally(const WaitingRead& read, Index index);
  void add_barriers(const Now& now);
  WallTime agreed_time(const Now& now) const;
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
  LinearizableReads reads_;
  std::unordered_set<Digest, DigestHash> keys_in_flight_;  ///< of calls that are waited for
  bool draining_ = false;
  Instant in_step_{};                 ///< when this node last held what the others hold
  std::size_t queue_bytes_ = 0;       ///< payload of calls that are waited for
  std::vector<Operation> to_submit_;  ///< the next bundle
  std::size_t to_submit_bytes_ = 0;
  bool submit_is_due_ = false;  ///< looked at when this turn ends
  Timer gather_;                ///< the bundle waits no longer
};

}  // namespace zap
