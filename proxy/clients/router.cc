#include "proxy/clients/router.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/limits.h"

namespace zap {
namespace {

ProxyError error_of(const CallEnd& end, std::string operation_id) {
  switch (end.kind) {
    case CallEnd::Kind::kDiffer:
      return {.code = ProxyErrorCode::kAnswersDiffer,
              .message = "the call is committed, but the applications' answers to it differ",
              .operation_id = std::move(operation_id),
              .index = end.index};
    case CallEnd::Kind::kLost:
      return {.code = ProxyErrorCode::kAnswerLost,
              .message = "the call is committed and executed, but its answer can no longer be had",
              .operation_id = std::move(operation_id),
              .index = end.index};
    case CallEnd::Kind::kNotExecuted:
      return {.code = ProxyErrorCode::kOutcomeUnknown,
              .message = "the call was ordered after its deadline and is not executed anywhere",
              .operation_id = std::move(operation_id)};
    case CallEnd::Kind::kKeyReused:
      return {.code = ProxyErrorCode::kKeyReused,
              .message =
                  "this idempotency key came with another request before; nothing is "
                  "executed: use a new key for a new request",
              .operation_id = std::move(operation_id)};
    case CallEnd::Kind::kAnswered:
    case CallEnd::Kind::kTimedOut:
      break;
  }
  return {.code = ProxyErrorCode::kOutcomeUnknown,
          .message =
              "no answer before the time-out; the call may or may not be executed: ask "
              "/op/" +
              operation_id +
              " on the admin address; a retry with the same idempotency key executes it once",
          .operation_id = operation_id};
}

/// A read is told the last index before its own.
Answer answer_of(const WaitingCall& call, const CallEnd& end, const std::string& operation_id) {
  if (call.method->mode != config::Mode::kReplicated) {
    return {.payload = end.reply.payload, .index = end.index - 1};
  }
  return {.payload = end.reply.payload,
          .index = end.index,
          .view = end.view,
          .operation_id = operation_id};
}

LinearizableReads::Settings reads_settings(const RouterSettings& settings) {
  LinearizableReads::Settings reads{.self = settings.self,
                                    .quorum = settings.membership.quorum(),
                                    .replies = settings.replies,
                                    .round_timeout = settings.round_timeout};
  for (const Member& member : settings.membership.members) reads.everyone.push_back(member.id);
  return reads;
}

/// The listener scopes a key as well: two of them are two services.
OnceKey once_key(const config::Listener& listener, const IdempotencyKey& key) {
  return {Hasher("zap idempotency key")
              .add(std::string_view(listener.name))
              .add(key.scope)
              .add(std::string_view(key.text))
              .finish(),
          key.fingerprint};
}

}  // namespace

Router::Router(EventLoop& loop, RouterSettings settings, Engine& engine, Driver& driver,
               Metrics& metrics, Others others, CallsHandlers answers)
    : loop_(loop),
      settings_(std::move(settings)),
      engine_(engine),
      driver_(driver),
      metrics_(metrics),
      others_(std::move(others)),
      calls_(settings_.self, settings_.incarnation, settings_.membership.quorum(),
             settings_.replies,
             [&] {
               answers.ended = [this](const auto& call, const auto& end, const auto& times) {
                 ended(call, end, times);
               };
               return std::move(answers);
             }()),
      reads_(loop, reads_settings(settings_), read_handlers()),
      gather_(loop, [this] { submit(); }) {}

void Router::handle(const std::shared_ptr<Client>& client, const Route& route, ClientCall call) {
  const config::Method& method = *route.methods.resolve(call.method.verb, call.method.path);
  switch (method.mode) {
    case config::Mode::kReplicated:
      return order(client, route, method, std::move(call));
    case config::Mode::kLinearizable:
    case config::Mode::kLeader:
      return read(client, route, method, std::move(call));
    case config::Mode::kLocal:
    case config::Mode::kPassthrough:
      return route.reads->read(client, method, std::move(call),
                               method.timeout.value_or(settings_.limits.request_timeout));
    case config::Mode::kReject:
      return refuse(*client, call.sequence, method.mode,
                    {.code = ProxyErrorCode::kRejected,
                     .message = "\"" + method.match + "\" is not to be called through listener " +
                                route.listener->name});
  }
}

// ---------------------------------------------------------------- what is ordered

std::optional<ProxyError> Router::refusal(const Route& route, const ClientCall& call) const {
  if (call.parent_operation.empty()) return refusal(*route.app);
  return ProxyError{.code = ProxyErrorCode::kLoop,
                    .message = "call " + call.parent_operation +
                               " makes this one and would wait for itself: only one call is "
                               "executed at a time"};
}

void Router::order(const std::shared_ptr<Client>& client, const Route& route,
                   const config::Method& method, ClientCall call) {
  if (const auto error = refusal(route, call)) {
    return refuse(*client, call.sequence, method.mode, *error);
  }
  WaitingCall waiting{.client = client, .sequence = call.sequence, .method = &method};
  Operation operation{
      .listener = route.listener->name, .method = method.match, .payload = std::move(call.payload)};
  if (call.key) {
    operation.once = once_key(*route.listener, *call.key);
    if (!keys_in_flight_.insert(operation.once->key).second) {
      return refuse(*client, call.sequence, method.mode,
                    {.code = ProxyErrorCode::kKeyInFlight,
                     .message = "this node waits for the answer to a call with this idempotency "
                                "key; try again when that is answered"});
    }
    waiting.key = operation.once->key;
  }
  waiting.deadline =
      read_clocks().instant + method.timeout.value_or(settings_.limits.request_timeout);
  take(std::move(waiting), std::move(operation));
}

void Router::take(WaitingCall waiting, Operation operation) {
  const Now now = read_clocks();
  const std::size_t bytes = operation.payload.size();
  waiting.payload_bytes = bytes;
  operation.deadline = agreed_time(now) + (waiting.deadline - now.instant).count();
  operation.id = calls_.take(std::move(waiting));
  if (!gather_.pending()) gather_.at(now.instant + settings_.batch_timeout);
  to_submit_.push_back(std::move(operation));
  to_submit_bytes_ += bytes;
  queue_bytes_ += bytes;
  if (to_submit_bytes_ >= limits::kSubmitBytes) return submit();
  look_at_bundle();
}

WallTime Router::agreed_time(const Now& now) const {
  return std::max(now.wall, engine_.state().last_timestamp);
}

void Router::decided(const DecidedCall& decided, View view, Instant now) {
  const OperationId& id = decided.call->operation.id;
  if (decided.outcome != Outcome::kBarrier) return calls_.decided(decided, view, now);
  if (id.origin != settings_.self || id.incarnation != settings_.incarnation) return;
  reads_.decided(id, decided.index, now);
  look_at_bundle();
}

// ---------------------------------------------------------------- linearizable reads

void Router::read(const std::shared_ptr<Client>& client, const Route& route,
                  const config::Method& method, ClientCall call) {
  if (const auto error = refusal(route, call)) {
    return refuse(*client, call.sequence, method.mode, *error);
  }
  const Now now = read_clocks();
  const Duration timeout = method.timeout.value_or(settings_.limits.request_timeout);
  if (!gather_.pending()) gather_.at(now.instant + settings_.batch_timeout);
  queue_bytes_ += call.payload.size();
  reads_.add({.client = client,
              .sequence = call.sequence,
              .route = &route,
              .method = &method,
              .payload = std::move(call.payload),
              .min_index = call.min_index.value_or(0),
              .deadline = now.instant + timeout});
  look_at_bundle();
}

LinearizableReads::Handlers Router::read_handlers() {
  const auto done = [this](const WaitingRead& read, std::string_view how) {
    queue_bytes_ -= read.payload.size();
    metrics_.count_request(read.method->mode, how);
    look_at_bundle();
    return read.client.lock();
  };
  return {
      .readers = others_.apps_ready,
      .local_is_well = others_.own_apps_are_ready,
      .verify =
          [this](const WaitingRead& read, const Bytes& answer) {
            const Call call(Operation{.listener = read.route->listener->name,
                                      .method = read.method->match,
                                      .payload = read.payload});
            return others_.read_answer(call, answer);
          },
      .answered =
          [done](const WaitingRead& read, const Reply& reply, Index index) {
            if (const auto client = done(read, "ok")) {
              client->answer(read.sequence, {.payload = reply.payload, .index = index});
            }
          },
      .refused =
          [done](const WaitingRead& read, const ProxyError& error) {
            if (const auto client = done(read, to_string(error.code))) {
              client->refuse(read.sequence, error);
            }
          },
      .again = [this] { look_at_bundle(); },
      .order = [this](const WaitingRead& read) { order_read(read); },
      .read_locally = [this](const WaitingRead& read, Index index) { read_locally(read, index); }};
}

/// The last resort: like a call, it waits for the applications.
void Router::order_read(const WaitingRead& read) {
  queue_bytes_ -= read.payload.size();
  auto error = refusal(*read.route->app);
  if (read.min_index > engine_.state().commit_index) {
    error = ProxyError{
        .code = ProxyErrorCode::kIndexNotReached,
        .message = "index " + std::to_string(read.min_index) + " is not given to any call yet"};
  }
  if (!error) {
    return take({.client = read.client,
                 .sequence = read.sequence,
                 .method = read.method,
                 .deadline = read.deadline},
                {.listener = read.route->listener->name,
                 .method = read.method->match,
                 .payload = read.payload,
                 .kind = OperationKind::kOrderedRead});
  }
  if (const auto client = read.client.lock()) {
    refuse(*client, read.sequence, read.method->mode, *error);
  }
}

void Router::read_locally(const WaitingRead& read, Index index) {
  queue_bytes_ -= read.payload.size();
  ClientCall call{.sequence = read.sequence,
                  .payload = read.payload,
                  .min_index = std::max(read.min_index, index)};
  const Duration left = read.deadline - read_clocks().instant;
  read.route->reads->read(read.client, *read.method, std::move(call), left);
}

void Router::add_barriers(const Now& now) {
  while (reads_.waiting() > 0 && to_submit_.size() < engine_.room()) {
    to_submit_.push_back(reads_.take_barrier(calls_.take_number(), now.instant, agreed_time(now)));
  }
}

// ---------------------------------------------------------------- bundles

void Router::look_at_bundle() {
  const bool empty = to_submit_.empty() && reads_.waiting() == 0;
  if (empty || std::exchange(submit_is_due_, true)) return;
  loop_.at_end_of_turn([this] {
    submit_is_due_ = false;
    submit_when_gathered();
  });
}

/// A bundle costs a signature and its check on every other node. While earlier calls of this node
/// are not answered, those to come gain little by being sent at once: they would wait behind them,
/// at the leader and at the application. So they gather until they are as many.
void Router::submit_when_gathered() {
  const std::size_t gathered = to_submit_.size() + reads_.waiting();
  const std::size_t before_them = waiting() - gathered;
  if (gathered >= before_them) submit();
}

void Router::submit() {
  add_barriers(read_clocks());
  if (to_submit_.empty()) return;
  gather_.cancel();
  to_submit_bytes_ = 0;
  driver_.step(Submit{std::exchange(to_submit_, {})});
}

void Router::tick(Instant now) {
  calls_.tick(now);
  reads_.tick(now);
  const auto phase = engine_.state().phase;
  const bool in_step =
      phase == EngineState::Phase::kNormal || phase == EngineState::Phase::kViewChange;
  if (in_step) in_step_ = now;
}

bool Router::is_behind() const {
  return engine_.state().phase == EngineState::Phase::kCatchingUp &&
         read_clocks().instant - in_step_ > limits::kBehindAdmitted;
}

std::optional<ProxyError> Router::refusal(const Applier& app) const {
  if (draining_) {
    return ProxyError{.code = ProxyErrorCode::kDraining,
                      .message = "this node is being taken out of service"};
  }
  if (is_behind() || engine_.state().phase == EngineState::Phase::kStarting) {
    return ProxyError{.code = ProxyErrorCode::kStarting,
                      .message = "this node is catching up with the others"};
  }
  const Quorum quorum = settings_.membership.quorum();
  if (others_.connected() + 1 < quorum.size()) {
    return ProxyError{.code = ProxyErrorCode::kNoQuorum,
                      .message = "this node reaches " + std::to_string(others_.connected()) +
                                 " other nodes and needs " + std::to_string(quorum.size() - 1)};
  }
  const auto ours = app_refusal(app);
  if (ours && settings_.replies == config::Replies::kLocal) return ours;
  if (!enough_apps(!ours)) {
    return ProxyError{.code = ProxyErrorCode::kStarting,
                      .message = "too few applications answer: an answer needs " +
                                 std::to_string(quorum.one_correct()) + " equal ones",
                      .details = ours ? ours->details : ""};
  }
  if (queue_bytes_ >= settings_.limits.queue_bytes) {
    return ProxyError{.code = ProxyErrorCode::kOverloaded,
                      .message = "calls of " + std::to_string(queue_bytes_) +
                                 " bytes wait here; limits.queue_bytes is " +
                                 std::to_string(settings_.limits.queue_bytes)};
  }
  const std::size_t barriers = 1 + reads_.waiting() / limits::kBarrierReads;
  if (engine_.room() <= to_submit_.size() + barriers) {
    return ProxyError{.code = ProxyErrorCode::kOverloaded,
                      .message = "too many calls of this node wait to be ordered"};
  }
  return std::nullopt;
}

std::optional<ProxyError> Router::app_refusal(const Applier& app) {
  const AppHealth health = app.health();
  const bool replays_little = health.state == AppHealth::State::kReplaying &&
                              health.target - health.applied <= limits::kReplayAdmitted;
  if (health.ready() || replays_little) return std::nullopt;
  return ProxyError{.code = ProxyErrorCode::kStarting,
                    .message = "the application beside this node is not ready",
                    .details = health.text()};
}

bool Router::enough_apps(bool ours) const {
  if (settings_.replies == config::Replies::kLocal) return ours;
  return others_.apps_ready().size() + (ours ? 1 : 0) >=
         settings_.membership.quorum().one_correct();
}

void Router::ended(const WaitingCall& call, const CallEnd& end, const CallTimes& times) {
  queue_bytes_ -= call.payload_bytes;
  if (call.key) keys_in_flight_.erase(*call.key);
  look_at_bundle();
  const auto client = call.client.lock();
  const std::string id = to_string(end.id, settings_.membership);

  if (end.kind == CallEnd::Kind::kAnswered) {
    using Seconds = std::chrono::duration<double>;
    metrics_.execute_seconds.Observe(Seconds(times.execute).count());
    metrics_.reply_seconds.Observe(Seconds(times.reply).count());
    metrics_.count_request(call.method->mode, "ok");
    if (client) client->answer(call.sequence, answer_of(call, end, id));
    return;
  }
  if (end.kind == CallEnd::Kind::kDiffer) metrics_.answers_differ.Increment();
  const ProxyError error = error_of(end, id);
  metrics_.count_request(call.method->mode, to_string(error.code));
  if (client) client->refuse(call.sequence, error);
}

void Router::refuse(Client& client, std::uint64_t sequence, config::Mode mode,
                    const ProxyError& error) {
  metrics_.count_request(mode, to_string(error.code));
  client.refuse(sequence, error);
}

}  // namespace zap
