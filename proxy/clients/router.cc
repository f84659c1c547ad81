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
    case CallEnd::Kind::kAnswered:
    case CallEnd::Kind::kTimedOut:
      break;
  }
  return {.code = ProxyErrorCode::kOutcomeUnknown,
          .message =
              "no answer before the time-out; the call may or may not be executed: ask "
              "/op/" +
              operation_id + " on the admin address; a retry may execute it a second time",
          .operation_id = operation_id};
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
      gather_(loop, [this] { submit(); }) {}

void Router::handle(const std::shared_ptr<Client>& client, const Route& route, ClientCall call) {
  const config::Method& method = *route.methods.resolve(call.method.verb, call.method.path);
  switch (method.mode) {
    case config::Mode::kReplicated:
    case config::Mode::kLinearizable:
    case config::Mode::kLeader:
      return order(client, route, method, std::move(call));
    case config::Mode::kLocal:
    case config::Mode::kPassthrough:
      return route.reads->read(client, method.mode, std::move(call),
                               method.timeout.value_or(settings_.limits.request_timeout));
    case config::Mode::kReject:
      return refuse(*client, call.sequence, method.mode,
                    {.code = ProxyErrorCode::kRejected,
                     .message = "\"" + method.match + "\" is not to be called through listener " +
                                route.listener->name});
  }
}

void Router::order(const std::shared_ptr<Client>& client, const Route& route,
                   const config::Method& method, ClientCall call) {
  if (!call.parent_operation.empty()) {
    return refuse(*client, call.sequence, method.mode,
                  {.code = ProxyErrorCode::kLoop,
                   .message = "call " + call.parent_operation +
                              " makes this one and would wait for itself: only one call is "
                              "executed at a time"});
  }
  if (const auto error = refusal(*route.app)) {
    return refuse(*client, call.sequence, method.mode, *error);
  }

  const Duration timeout = method.timeout.value_or(settings_.limits.request_timeout);
  const Now now = read_clocks();
  const std::size_t bytes = call.payload.size();
  Operation operation{
      .id = calls_.take({.client = client,
                         .sequence = call.sequence,
                         .method = &method,
                         .payload_bytes = bytes,
                         .deadline = now.instant + timeout}),
      .deadline = std::max(now.wall, engine_.state().last_timestamp) + timeout.count(),
      .listener = route.listener->name,
      .method = method.match,
      .payload = std::move(call.payload)};

  if (to_submit_.empty()) gather_.at(now.instant + settings_.batch_timeout);
  to_submit_.push_back(std::move(operation));
  to_submit_bytes_ += bytes;
  queue_bytes_ += bytes;
  if (to_submit_bytes_ >= limits::kSubmitBytes) return submit();
  look_at_bundle();
}

void Router::look_at_bundle() {
  if (to_submit_.empty() || std::exchange(submit_is_due_, true)) return;
  loop_.at_end_of_turn([this] {
    submit_is_due_ = false;
    submit_when_gathered();
  });
}

/// A bundle costs a signature and its check on every other node. While earlier calls of this node
/// are not answered, those to come gain little by being sent at once: they would wait behind them,
/// at the leader and at the application. So they gather until they are as many.
void Router::submit_when_gathered() {
  const std::size_t before_them = calls_.waiting() - to_submit_.size();
  if (to_submit_.size() >= before_them) submit();
}

void Router::submit() {
  if (to_submit_.empty()) return;
  gather_.cancel();
  to_submit_bytes_ = 0;
  driver_.step(Submit{std::exchange(to_submit_, {})});
}

void Router::tick(Instant now) {
  calls_.tick(now);
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
  if (engine_.room() <= to_submit_.size()) {
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
  return others_.apps_ready() + (ours ? 1 : 0) >= settings_.membership.quorum().one_correct();
}

void Router::ended(const WaitingCall& call, const CallEnd& end, const CallTimes& times) {
  queue_bytes_ -= call.payload_bytes;
  look_at_bundle();
  const auto client = call.client.lock();
  const std::string id = to_string(end.id, settings_.membership);

  if (end.kind == CallEnd::Kind::kAnswered) {
    using Seconds = std::chrono::duration<double>;
    metrics_.execute_seconds.Observe(Seconds(times.execute).count());
    metrics_.reply_seconds.Observe(Seconds(times.reply).count());
    metrics_.count_request(call.method->mode, "ok");
    if (client) {
      client->answer(
          call.sequence,
          {.payload = end.reply.payload, .index = end.index, .view = end.view, .operation_id = id});
    }
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
