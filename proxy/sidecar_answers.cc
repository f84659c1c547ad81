// What a sidecar does with answers: of the applications beside it, and of the others'.

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "core/limits.h"
#include "proxy/answers/answer_reader.h"
#include "proxy/app/protocol_of.h"
#include "proxy/face/logging.h"
#include "proxy/sidecar.h"

namespace zap {

std::unique_ptr<AnswerExchange> Sidecar::make_exchange() {
  return std::make_unique<AnswerExchange>(
      loop_,
      AnswerExchange::Settings{.self = config_.self,
                               .compares = config_.consensus.replies == config::Replies::kQuorum},
      membership_,
      AnswerExchange::Handlers{
          .send = [this](NodeId peer, const auto& message) { peers_->send(peer, message); },
          .read = [this](const Call& call,
                         const Bytes& answer) { return read_answer_of(call, answer); },
          .reply =
              [this](NodeId from, const OperationId& id, const auto& compared) {
                router_->calls().peer_reply(from, id, compared, read_clocks().instant);
              },
          .fetched =
              [this](const OperationId& id, const Reply* reply) {
                router_->calls().fetched(id, reply, read_clocks().instant);
              },
          .read_answers =
              [this](NodeId from, const wire::ReadAnswers& answers) {
                if (answers.incarnation == incarnation_) router_->reads().heard(from, answers);
              },
          .diverged = [this](const Divergence& found) { diverged(found); }});
}

Router::Others Sidecar::others() {
  return {.connected = [this] { return peers_->connected_count(); },
          .apps_ready = [this] { return exchange_->census().ready(); },
          .own_apps_are_ready = [this] { return own_app_state().ready; },
          .read_answer = [this](const Call& call,
                                const Bytes& answer) { return read_answer_of(call, answer); }};
}

CallsHandlers Sidecar::calls_handlers() {
  return {.fetch = [this](const CallPtr& call, const Digest& agreed,
                          auto donors) { exchange_->fetch(call, agreed, std::move(donors)); },
          .forget_fetch = [this](const OperationId& id) { exchange_->forget_fetch(id); },
          .expects_local =
              [this](const Call& call) {
                const LocalApp* app = app_of(call.operation.listener);
                return app && app->health().ready();
              },
          .mute = [this]() -> const std::vector<NodeId>& { return exchange_->census().mute(); },
          .diverged = [this](const Divergence& found) { exchange_->diverged(found); },
          .disagreed = [this](const Disagreement& found) { disagreed(found); }};
}

void Sidecar::answered(const AppAnswer& answer) {
  exchange_->answered(answer, commit_index_);
  backlog_changed();
  const OperationId& id = answer.call->operation.id;
  if (id.origin != config_.self) return;
  const Reply* reply = answer.reply ? &*answer.reply : nullptr;
  router_->calls().local_reply(id, reply, /*counts=*/!answer.replay, read_clocks().instant);
}

/// Our own answers keep their bytes; those for another origin only where it wants them.
void Sidecar::read_in_place(const PlacedReads& reads, PlacedAnswers answers) {
  const OperationId& barrier = reads.barrier->operation.id;
  const bool ours = barrier.origin == config_.self;
  if (ours && barrier.incarnation != incarnation_) return;
  wire::ReadAnswers message{.incarnation = barrier.incarnation, .number = barrier.number};
  const auto send = [&] {
    if (ours) {
      router_->reads().heard(config_.self, message);
    } else {
      peers_->send(barrier.origin, wire::AnswerMessage(message));
    }
    message.answers.clear();
  };
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    wire::ReadAnswers::Answer answer{.position = reads.reads[i].position};
    if (answers[i]) {
      answer.digest = answers[i]->compared;
      if (ours || reads.whole) answer.payload = std::move(answers[i]->payload);
    }
    bytes += answer.payload.size();
    message.answers.push_back(std::move(answer));
    if (bytes >= limits::kAnswersBytes) {
      send();
      bytes = 0;
    }
  }
  if (!message.answers.empty()) send();
}

LocalApp* Sidecar::app_of(std::string_view listener) const {
  const auto app = std::find_if(apps_.begin(), apps_.end(),
                                [&](const auto& each) { return each->serves(listener); });
  return app == apps_.end() ? nullptr : app->get();
}

Result<Reply> Sidecar::read_answer_of(const Call& call, const Bytes& answer) const {
  const auto listener = std::find_if(
      config_.listeners.begin(), config_.listeners.end(),
      [&](const config::Listener& each) { return each.name == call.operation.listener; });
  if (listener == config_.listeners.end()) {
    return Error{ErrorCode::kNotFound, "no listener is named " + call.operation.listener};
  }
  const auto protocol = protocol_of(listener->app.protocol);
  if (!protocol) return protocol.error();
  return read_answer(**protocol, call, answer, comparisons_.of(call.operation));
}

// ---------------------------------------------------------------- divergence

void Sidecar::diverged(const Divergence& divergence) {
  LocalApp* app = app_of(divergence.listener);
  if (!app || app->health().state == AppHealth::State::kQuarantined) return;
  if (!exchange_->census().may_quarantine()) {
    return determinism_alarm_.raise(divergence.method, divergence.index,
                                    "ours is another one than a quorum's, but too few "
                                    "applications would be left");
  }
  if (!app->applier().quarantine(divergence.index)) return;
  newest_divergence_ = divergence;
  log_error("the application has diverged: it is in quarantine",
            {{"app", to_string(app->address())},
             {"index", divergence.index},
             {"method", divergence.method},
             {"operation", to_string(divergence.id, membership_)},
             {"digest", divergence.given.hex()},
             {"agreed", divergence.agreed.hex()}});
  exchange_->own_state(own_app_state());
}

/// "node1 node2 | node3 | node4": who gave the same.
std::string Sidecar::who_gave_what(const AnswerVotes& votes) const {
  std::map<Digest, std::string> groups;
  for (const AnswerVotes::Vote& vote : votes.all()) {
    if (!vote.compared) continue;
    std::string& group = groups[*vote.compared];
    group += (group.empty() ? "" : " ") + membership_.name_of(vote.node);
  }
  std::string text;
  for (const auto& [digest, group] : groups) text += (text.empty() ? "" : " | ") + group;
  return text;
}

void Sidecar::disagreed(const Disagreement& disagreement) {
  determinism_alarm_.raise(disagreement.method, disagreement.index,
                           who_gave_what(disagreement.votes));
}

void Sidecar::watch_quarantine() {
  const wire::AppState own = own_app_state();
  if (own.quarantined_at != 0 && !exchange_->census().stands(own.quarantined_at)) {
    for (const auto& app : apps_) app->applier().take_quarantine_back();
    if (!newest_divergence_.method.empty()) {  // else found by a run before this one
      determinism_alarm_.raise(newest_divergence_.method, own.quarantined_at,
                               "other nodes saw the same of theirs at the same moment");
    }
  }
  exchange_->own_state(own_app_state());
}

wire::AppState Sidecar::own_app_state() const {
  wire::AppState state{.ready = true};
  for (const auto& app : apps_) {
    const AppHealth health = app->health();
    state.ready = state.ready && health.ready();
    if (health.diverged_at == 0) continue;
    state.quarantined_at = state.quarantined_at == 0
                               ? health.diverged_at
                               : std::min(state.quarantined_at, health.diverged_at);
  }
  return state;
}

}  // namespace zap
