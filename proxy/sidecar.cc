#include "proxy/sidecar.h"

#include <algorithm>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <utility>

#include "config/keys.h"
#include "consensus/pbft/replica.h"
#include "core/limits.h"
#include "proxy/app/protocol_of.h"
#include "proxy/face/logging.h"
#include "proxy/face/notices.h"

namespace zap {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);

store::SyncMode store_mode(config::SyncMode mode) {
  switch (mode) {
    case config::SyncMode::kAlways:
      return store::SyncMode::kAlways;
    case config::SyncMode::kBatch:
      return store::SyncMode::kBatch;
    case config::SyncMode::kNever:
      return store::SyncMode::kNever;
  }
  return store::SyncMode::kAlways;
}

/// Of any call: a client that waits for its answer says nothing for so long.
Duration longest_timeout(const config::Config& config) {
  Duration longest = config.limits.request_timeout;
  for (const config::Listener& listener : config.listeners) {
    for (const config::Method& method : listener.methods) {
      longest = std::max(longest, method.timeout.value_or(Duration(0)));
    }
  }
  return longest;
}

/// Names requests and traces: distinct, not secret.
std::function<RandomId()> random_ids() {
  std::random_device seed;
  return [engine = std::mt19937_64((std::uint64_t{seed()} << 32) | seed())]() mutable {
    return RandomId{engine(), engine()};
  };
}

/// What only the origin of a call applies: a difference between nodes is reported, not refused.
Digest methods_digest(const std::vector<config::Listener>& listeners) {
  Hasher hasher("zap methods");
  for (const config::Listener& listener : listeners) {
    hasher.add(std::string_view(listener.name)).add(static_cast<std::uint64_t>(listener.unmatched));
    hasher.add(std::uint64_t{listener.methods.size()});
    for (const config::Method& method : listener.methods) {
      hasher.add(std::string_view(method.match)).add(static_cast<std::uint64_t>(method.mode));
    }
  }
  return hasher.finish();
}

/// What decides alike on all nodes, and so must be configured alike.
Digest agreed_digest(const config::Config& config, const Comparisons& comparisons) {
  return Hasher("zap agreed configuration")
      .add(std::int64_t{config.idempotency.keep.count()})
      .add(config.idempotency.entries)
      .add(config.idempotency.bytes)
      .add(comparisons.digest())
      .add(std::uint64_t{config.consensus.replies == config::Replies::kLocal})
      .add(config.limits.response_bytes)
      .add(std::uint64_t{config.consensus.fixed_leader.has_value()})
      .add(std::uint64_t{config.consensus.fixed_leader.value_or(0)})
      .finish();
}

/// Nodes that forgot keys at different moments would execute different calls.
Error key_limits_changed(const KeyLimits& agreed) {
  using Seconds = std::chrono::duration<double>;
  std::ostringstream what;
  what
      << "idempotency is not what the cluster's first start agreed on and its log holds; give back "
      << "keep: " << Seconds(agreed.keep).count() << "s, entries: " << agreed.entries
      << ", bytes: " << agreed.bytes << ", on all nodes";
  return {ErrorCode::kInvalid, what.str()};
}

}  // namespace

Result<std::unique_ptr<Sidecar>> Sidecar::start(EventLoop& loop, const config::Config& config,
                                                const RunOptions& options,
                                                std::function<void(const Error&)> failed) {
  std::unique_ptr<Sidecar> sidecar(new Sidecar(loop, config, options, std::move(failed)));
  for (const auto step : {&Sidecar::open_log, &Sidecar::open_peers, &Sidecar::make_apps,
                          &Sidecar::open_listeners, &Sidecar::open_admin}) {
    if (const Result<void> done = (*sidecar.*step)(); !done) return done.error();
  }
  sidecar->begin();
  return sidecar;
}

Sidecar::Sidecar(EventLoop& loop, const config::Config& config, const RunOptions& options,
                 std::function<void(const Error&)> failed)
    : loop_(loop),
      config_(config),
      options_(options),
      failed_(std::move(failed)),
      membership_(config.first_membership()),
      comparisons_(config.listeners),
      metrics_(membership_, config.node_id, ZAP_VERSION),
      phase_times_(metrics_),
      evidence_(config.wal.path, membership_),
      outcomes_(limits::kOutcomesRemembered),
      freshness_(membership_.quorum()),
      tick_(loop, [this] { tick(); }) {
  client_load_.connections_most = config.limits.connections;
  client_load_.unfinished_most = config.limits.queue_bytes;
}

Sidecar::~Sidecar() = default;

// ---------------------------------------------------------------- start, step by step

Result<void> Sidecar::open_log() {
  store::LogOptions log_options;
  log_options.cluster = config_.cluster;
  log_options.sync_mode = store_mode(config_.wal.sync_mode);
  log_options.max_segment_bytes = config_.wal.max_size;
  auto opened = LogKeeper::open(
      loop_, config_.wal.path, std::move(log_options),
      {.durable = [this](LogPosition position) { driver_->log_is_durable(position); },
       .failed = failed_});
  if (!opened) return opened.error();
  log_ = std::move(*opened);

  pbft::Restored restored = log_->take_restored();
  if (restored.founded && restored.founded->keys != config_.idempotency) {
    return key_limits_changed(restored.founded->keys);
  }
  incarnation_ = restored.incarnation;
  engine_ = pbft::make_replica({.self = config_.self,
                                .cluster = config_.cluster,
                                .membership = membership_,
                                .fixed_leader = config_.consensus.fixed_leader,
                                .round_timeout = config_.consensus.round_timeout,
                                .election_timeout = config_.consensus.election_timeout,
                                .batch_size = config_.consensus.batch_size,
                                .batch_timeout = config_.consensus.batch_timeout,
                                .keys = config_.idempotency},
                               std::move(restored));
  return {};
}

Result<void> Sidecar::open_peers() {
  const auto key = config::load_private_key(config_.peer.private_key);
  if (!key) return key.error();
  const Signer signer(key->seed);
  auto tls = TlsContext::load(config_.peer.certificate, config_.peer.private_key,
                              config_.peer.authority, signer.public_key());
  if (!tls) return tls.error();
  auto opened = Peers::open(
      loop_,
      {.cluster = config_.cluster,
       .self = config_.self,
       .membership = membership_,
       .fixed_leader = config_.consensus.fixed_leader,
       .listen = config_.peer.listen,
       .agreed_configuration = agreed_digest(config_, comparisons_),
       .methods_table = methods_digest(config_.listeners),
       .software_version = ZAP_VERSION},
      std::move(*tls),
      {.is_superfluous =
           [this](const Message& message) { return engine_->is_superfluous(message); },
       .on_message = [this](NodeId from, MessagePtr message) { received(from, message); },
       .on_answers = [this](NodeId from,
                            const auto& message) { exchange_->received(from, message); },
       .on_connected =
           [this](NodeId peer) {
             exchange_->connected(peer);
             driver_->step(Connected{peer});
           },
       .on_disconnected =
           [this](NodeId peer) {
             exchange_->disconnected(peer);
             peer_view_.lost(peer);
           }});
  if (!opened) return opened.error();
  peers_ = std::move(*opened);

  ports_ = std::make_unique<Ports>(
      loop_, *log_, *peers_, Ports::Identity{config_.cluster, config_.self, signer}, phase_times_,
      Ports::Sinks{
          .decided = [this](const Decision& decision) { decided(decision); },
          .notice =
              [this](const Notice& notice) { report(notice, membership_, metrics_, evidence_); },
          .wake = [this] { driver_->step(Tick{}); }});
  driver_ = std::make_unique<Driver>(config_.self, *engine_, *ports_, log_->appended());
  exchange_ = make_exchange();
  return {};
}

Result<void> Sidecar::make_apps() {
  if (!options_.command.empty()) {
    Supervisor::Settings settings{.command = options_.command};
    for (const config::Listener& listener : config_.listeners) {
      settings.addresses.push_back(listener.app.address);
    }
    supervisor_ = std::make_unique<Supervisor>(loop_, std::move(settings));
    if (Result<void> started = supervisor_->start(); !started) return started;
  }

  std::map<std::string, std::vector<const config::Listener*>> by_app;
  for (const config::Listener& listener : config_.listeners) {
    by_app[to_string(listener.app.address)].push_back(&listener);
  }
  for (const auto& [address, listeners] : by_app) {
    auto app = LocalApp::make(loop_, config_, listeners, membership_, comparisons_, *log_,
                              supervisor_.get(), options_, metrics_,
                              {.answered = [this](const AppAnswer& answer) { answered(answer); },
                               .read_in_place =
                                   [this](const PlacedReads& reads, PlacedAnswers answers) {
                                     read_in_place(reads, std::move(answers));
                                   },
                               .backlog = [this](bool) { backlog(); },
                               .as_of = [this](Index index) { return freshness_.as_of(index); }});
    if (!app) return app.error();
    apps_.push_back(std::move(*app));
  }
  return {};
}

Result<void> Sidecar::open_listeners() {
  router_ =
      std::make_unique<Router>(loop_,
                               RouterSettings{.self = config_.self,
                                              .incarnation = incarnation_,
                                              .membership = membership_,
                                              .replies = config_.consensus.replies,
                                              .round_timeout = config_.consensus.round_timeout,
                                              .limits = config_.limits,
                                              .batch_timeout = config_.consensus.batch_timeout},
                               *engine_, *driver_, metrics_, others(), calls_handlers());
  for (const config::Listener& listener : config_.listeners) {
    auto methods = config::MethodTable::make(listener.methods, listener.unmatched,
                                             config_.consensus.read_strategy);
    if (!methods) return methods.error();
    const auto app = std::find_if(apps_.begin(), apps_.end(), [&](const auto& candidate) {
      return candidate->address() == listener.app.address;
    });
    const auto protocol = protocol_of(listener.protocol);
    if (!protocol) return protocol.error();
    const Route& route = routes_.emplace_back(
        Route{&listener, std::move(*methods), &(*app)->applier(), &(*app)->reads()});
    auto& front = listeners_.emplace_back(std::make_unique<ClientListener>(
        loop_, **protocol,
        ClientSettings{.request_bytes = config_.limits.request_bytes,
                       .idempotency_header = listener.idempotency_header,
                       .random_id = random_ids()},
        ClientTimes{.request = config_.limits.request_timeout,
                    .idle = limits::kClientIdleTime + longest_timeout(config_)},
        client_load_, [this, &route](const std::shared_ptr<Client>& client, ClientCall call) {
          router_->handle(client, route, std::move(call));
        }));
    if (const auto opened = front->open(listener.address); !opened) {
      return Error{opened.error().code,
                   "listener " + listener.name + ": " + opened.error().message};
    }
  }
  return {};
}

Result<void> Sidecar::open_admin() {
  auto opened = AdminServer::open(
      loop_, config_.admin.address,
      {.metrics = [this] { return metrics_text(); },
       .status = [this] { return status(); },
       .evidence = [this] { return evidence_.json(); },
       .operation = [this](std::string_view id) { return operation_status(id); }});
  if (!opened) return opened.error();
  admin_ = std::move(*opened);
  return {};
}

void Sidecar::begin() {
  log_info("started", {{"version", ZAP_VERSION},
                       {"node", config_.node_id},
                       {"cluster", config_.cluster},
                       {"incarnation", incarnation_},
                       {"nodes", membership_.members.size()},
                       {"peers_at", to_string(config_.peer.listen)},
                       {"admin", to_string(config_.admin.address)},
                       {"slot", engine_->state().decided},
                       {"index", engine_->state().commit_index}});
  for (const config::Listener& listener : config_.listeners) {
    log_info("listens", {{"listener", listener.name},
                         {"address", to_string(listener.address)},
                         {"application", to_string(listener.app.address)}});
  }
  commit_index_ = engine_->state().commit_index;
  freshness_.decided(engine_->state().decided, commit_index_);
  for (const auto& app : apps_) app->applier().start(commit_index_);
  driver_->step(Tick{});
  tick();
}

// ---------------------------------------------------------------- what arrives

void Sidecar::received(NodeId from, MessagePtr message) {
  if (const auto* status = std::get_if<pbft::Status>(message.get())) {
    peer_view_.said(from, *status);
    const EngineState own = engine_->state();
    freshness_.said(from, std::max(status->prepared, status->decided),
                    std::max(own.prepared, own.decided), read_clocks().instant);
    for (const auto& app : apps_) app->reads().look_again();
  }
  driver_->step(Receive{from, std::move(message)});
}

void Sidecar::decided(const Decision& decision) {
  const Instant now = read_clocks().instant;
  outcomes_.add(decision);
  peer_view_.decided(decision);
  for (const DecidedCall& call : decision.calls) {
    if (call.outcome == Outcome::kApplied) metrics_.operations.Increment();
    router_->decided(call, decision.view, now);
    if (call.outcome != Outcome::kRepeated) continue;
    if (LocalApp* app = app_of(call.call->operation.listener)) app->repeat(call.call, call.index);
  }
  commit_index_ = engine_->state().commit_index;
  freshness_.decided(decision.seq, commit_index_);
  for (const auto& app : apps_) app->applier().enqueue(decision);
  backlog_changed();
}

void Sidecar::backlog() {
  // A slow application holds this node's clients back; one that is not there, or wrong, does not:
  // they get the other copies' answers.
  const bool others_answer = config_.consensus.replies == config::Replies::kQuorum;
  const bool full = std::any_of(apps_.begin(), apps_.end(), [&](const auto& app) {
    return app->is_full() && (app->health().ready() || !others_answer);
  });
  if (full == std::exchange(backlog_, full)) return;
  for (const auto& listener : listeners_) listener->pause(full);
  tell_backlog();
}

/// The engine lets calls gather while the application is at work; one that is gone, replayed or in
/// quarantine makes nobody wait. At the end of the turn: many calls may be decided, or answered, in
/// one.
void Sidecar::backlog_changed() {
  if (engine_->state().leader != config_.self || std::exchange(backlog_is_due_, true)) return;
  loop_.at_end_of_turn([this] { tell_backlog(); });
}

void Sidecar::tell_backlog() {
  backlog_is_due_ = false;
  Index calls = 0;
  for (const auto& app : apps_) {
    if (!app->health().ready()) continue;
    const Index applied = std::min(commit_index_, app->applier().applied());
    calls = std::max(calls, commit_index_ - applied);
  }
  driver_->step(Backlog{.calls = calls, .full = backlog_});
}

// ---------------------------------------------------------------- what time brings

void Sidecar::tick() {
  const Instant now = read_clocks().instant;
  tick_.at(now + kTick);
  router_->tick(now);
  for (const auto& app : apps_) {
    app->reads().expire(now);
    app->watch();
  }
  backlog();
  watch_quarantine();
  exchange_->tick(now);
  if (now >= sample_at_) {
    metrics_.sample_rate();
    sample_at_ = now + std::chrono::seconds(1);
  }
  if (stopped_) finish_stopping();
}

void Sidecar::stop(std::function<void()> stopped) {
  stopped_ = std::move(stopped);
  stop_by_ = read_clocks().instant + config_.limits.request_timeout;
  router_->drain();
  for (const auto& listener : listeners_) listener->stop_accepting();
}

/// One tick after the last answer was given, so that it has left.
void Sidecar::finish_stopping() {
  const bool reading = std::any_of(apps_.begin(), apps_.end(),
                                   [](const auto& app) { return app->reads().waiting() > 0; });
  const bool busy = reading || router_->waiting() > 0;
  if (busy && read_clocks().instant < stop_by_) return;
  tick_.cancel();
  for (const auto& app : apps_) app->applier().stop();
  const auto close = [this] {
    if (const Result<void> closed = log_->close(); !closed) return failed_(closed.error());
    stopped_();
  };
  if (supervisor_) return supervisor_->stop(close);
  close();
}

}  // namespace zap
