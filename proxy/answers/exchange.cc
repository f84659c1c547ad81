#include "proxy/answers/exchange.h"

#include <utility>
#include <variant>

#include "core/limits.h"

namespace zap {

AnswerExchange::AnswerExchange(EventLoop& loop, Settings settings, const Membership& membership,
                               Handlers handlers)
    : settings_(settings),
      membership_(membership),
      handlers_(std::move(handlers)),
      outbox_(loop, handlers_.send),
      fetches_(loop,
               {.ask = [this](NodeId donor, const auto& calls) { handlers_.send(donor, calls); },
                .read = handlers_.read,
                .done = handlers_.fetched}),
      inquiries_(settings.self, membership.quorum(),
                 {.ask_all = [this](const auto& calls) { send_to_all(calls); },
                  .diverged = [this](const Divergence& found) { diverged(found); }}),
      census_(settings.self, membership.quorum()) {}

// ---------------------------------------------------------------- what happens here

void AnswerExchange::answered(const AppAnswer& answer, Index newest) {
  if (!settings_.compares) return;
  const OperationId& id = answer.call->operation.id;
  const bool counts = answer.reply && !answer.replay;
  if (counts) recent_.keep(*answer.call, answer.index, *answer.reply);
  // What is replayed from long ago nobody waits for.
  const bool is_waited_for = answer.repeated || answer.index + limits::kCallsCompared > newest;
  if (id.origin != settings_.self && (counts || is_waited_for)) {
    outbox_.add(id, counts ? std::optional(answer.reply->compared) : std::nullopt);
  }
  if (answer.index >= newest) outbox_.send_soon();
}

void AnswerExchange::fetch(const CallPtr& call, const Digest& agreed, std::vector<NodeId> donors) {
  fetches_.want(call, agreed, std::move(donors), read_clocks().instant);
}

void AnswerExchange::diverged(const Divergence& divergence) {
  if (divergence.node != settings_.self) {
    PerSecond& told =
        disputes_told_.try_emplace(divergence.node, limits::kDisputesPerSecond).first->second;
    if (!told.allows()) return;
    return handlers_.send(divergence.node, wire::Disputes{{divergence.id}});
  }
  const RecentAnswer* ours = recent_.find(divergence.id);
  if (!ours) return;
  Divergence own = divergence;
  own.listener = ours->listener;
  handlers_.diverged(own);
}

void AnswerExchange::own_state(const wire::AppState& state) {
  if (state == own_state_) return;
  if (state.quarantined_at != 0) recent_.forget_all();
  own_state_ = state;
  send_to_all(own_state_);
}

void AnswerExchange::tick(Instant now) {
  fetches_.tick(now);
  inquiries_.tick(now);
}

// ---------------------------------------------------------------- what the others say

void AnswerExchange::received(NodeId from, const wire::AnswerMessage& message) {
  std::visit([&](const auto& each) { on(from, each); }, message);
}

void AnswerExchange::on(NodeId from, const wire::Replies& replies) {
  for (const wire::Replies::Result& result : replies.results) {
    handlers_.reply(from, {settings_.self, replies.incarnation, result.number}, result.digest);
  }
}

void AnswerExchange::on(NodeId from, const wire::FetchAnswers& wanted) {
  wire::Answers message;
  std::size_t bytes = 0;
  for (const OperationId& id : wanted.calls) {
    const RecentAnswer* found = recent_.find(id);
    wire::Answers::Answer answer{.call = id};
    if (found) answer.digest = found->reply.compared;
    if (found && !wanted.digests_only) answer.payload = found->reply.payload;
    bytes += answer.payload.size();
    message.answers.push_back(std::move(answer));
    if (bytes < limits::kAnswersBytes) continue;
    handlers_.send(from, std::exchange(message, {}));
    bytes = 0;
  }
  if (!message.answers.empty()) handlers_.send(from, message);
}

void AnswerExchange::on(NodeId from, const wire::Answers& answers) {
  const Instant now = read_clocks().instant;
  for (const wire::Answers::Answer& answer : answers.answers) {
    inquiries_.heard(from, answer);
    fetches_.heard(from, answer, now);
  }
}

void AnswerExchange::on(NodeId, const wire::Disputes& disputes) {
  for (const OperationId& id : disputes.calls) {
    const RecentAnswer* ours = recent_.find(id);
    const bool replicated = ours && ours->kind == OperationKind::kCall;
    if (replicated) inquiries_.open(*ours, read_clocks().instant);
  }
}

void AnswerExchange::on(NodeId from, const wire::AppState& state) { census_.said(from, state); }

void AnswerExchange::send_to_all(const wire::AnswerMessage& message) {
  for (const Member& member : membership_.members) {
    if (member.id != settings_.self) handlers_.send(member.id, message);
  }
}

}  // namespace zap
