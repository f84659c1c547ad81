// proxy/sidecar.h - the composition root: every object of the process is made here, in order, and
// told of the others that it needs.
//
//   log -> engine -> driver <-> peers          what is ordered
//   listener -> router -> driver               what clients ask
//   driver -> applications -> calls, peers     what was decided, and its answers
//
// Threads: all of it lives on the main loop; the storage thread and the gate's threads post there.

#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "consensus/engine.h"
#include "core/result.h"
#include "proxy/answers/comparisons.h"
#include "proxy/answers/exchange.h"
#include "proxy/app/local_app.h"
#include "proxy/app/supervisor.h"
#include "proxy/clients/client_listener.h"
#include "proxy/clients/outcomes.h"
#include "proxy/clients/router.h"
#include "proxy/driver.h"
#include "proxy/face/admin.h"
#include "proxy/face/determinism_alarm.h"
#include "proxy/face/metrics.h"
#include "proxy/face/phase_times.h"
#include "proxy/face/status.h"
#include "proxy/log/evidence.h"
#include "proxy/log/log_keeper.h"
#include "proxy/net/event_loop.h"
#include "proxy/peers/peer_view.h"
#include "proxy/peers/peers.h"
#include "proxy/ports.h"
#include "proxy/reads/freshness.h"
#include "proxy/run.h"

namespace zap {

class Sidecar {
 public:
  /// Reads the log, connects to everyone, listens. `failed` is called at most once, later, when
  /// the node must not go on. All arguments outlive the sidecar.
  static Result<std::unique_ptr<Sidecar>> start(EventLoop& loop, const config::Config& config,
                                                const RunOptions& options,
                                                std::function<void(const Error&)> failed);
  ~Sidecar();
  Sidecar(const Sidecar&) = delete;
  Sidecar& operator=(const Sidecar&) = delete;

  /// Accepts nobody any more, finishes what was taken (within limits.request_timeout), stops the
  /// application where it is ours, marks the log clean, then calls `stopped`.
  void stop(std::function<void()> stopped);

  NodeStatus status() const;

 private:
  Sidecar(EventLoop& loop, const config::Config& config, const RunOptions& options,
          std::function<void(const Error&)> failed);

  // start(), step by step
  Result<void> open_log();
  Result<void> open_peers();
  Result<void> make_apps();
  Result<void> open_listeners();
  Result<void> open_admin();
  void begin();

  // what arrives
  void decided(const Decision& decision);
  void answered(const AppAnswer& answer);
  void read_in_place(const PlacedReads& reads, PlacedAnswers answers);
  void backlog();
  void backlog_changed();
  void tell_backlog();
  void received(NodeId from, MessagePtr message);

  // answers of applications (sidecar_answers.cc)
  std::unique_ptr<AnswerExchange> make_exchange();
  CallsHandlers calls_handlers();
  Router::Others others();
  Result<Reply> read_answer_of(const Call& call, const Bytes& answer) const;
  LocalApp* app_of(std::string_view listener) const;
  void diverged(const Divergence& divergence);
  void disagreed(const Disagreement& disagreement);
  std::string who_gave_what(const AnswerVotes& votes) const;
  void watch_quarantine();
  wire::AppState own_app_state() const;

  // what time brings
  void tick();
  void finish_stopping();

  std::string metrics_text();
  Result<OperationStatus> operation_status(std::string_view id) const;
  NodeState own_state() const;
  NodeState state_of_peer(NodeId peer) const;
  std::vector<std::string> alarms() const;
  std::vector<std::string> reasons_not_ready() const;
  Index applied_index() const;

  EventLoop& loop_;
  const config::Config& config_;
  const RunOptions& options_;
  const std::function<void(const Error&)> failed_;
  const Membership membership_;
  const Comparisons comparisons_;

  Metrics metrics_;
  PhaseTimes phase_times_;
  Evidence evidence_;
  Outcomes outcomes_;
  PeerView peer_view_;
  Freshness freshness_;

  Incarnation incarnation_ = 0;  ///< of this run
  std::unique_ptr<LogKeeper> log_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<Ports> ports_;
  std::unique_ptr<Driver> driver_;

  std::unique_ptr<Supervisor> supervisor_;
  std::vector<std::unique_ptr<LocalApp>> apps_;
  std::unique_ptr<AnswerExchange> exchange_;
  DeterminismAlarm determinism_alarm_;
  Divergence newest_divergence_;  ///< of our own application
  Index commit_index_ = 0;        ///< of the newest decision
  std::unique_ptr<Router> router_;
  std::deque<Route> routes_;  ///< one a listener
  ClientLoad client_load_;
  std::vector<std::unique_ptr<ClientListener>> listeners_;
  std::unique_ptr<AdminServer> admin_;

  bool backlog_ = false;           ///< some application's queue is full
  bool backlog_is_due_ = false;    ///< the engine is told at the end of this turn
  std::function<void()> stopped_;  ///< set: we are stopping
  Instant stop_by_ = kNever;
  Instant sample_at_{};
  Timer tick_;
};

}  // namespace zap
