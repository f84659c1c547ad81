#include "proxy/app/ordered_lane.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace zap {

OrderedLane::OrderedLane(EventLoop& loop, const AppEndpoint& endpoint, AppReads& reads,
                         Handlers handlers)
    : loop_(loop),
      endpoint_(endpoint),
      reads_(reads),
      handlers_(std::move(handlers)),
      read_deadline_(loop, [this] { expire_reads(); }) {}

void OrderedLane::connect() {
  connection_ = std::make_unique<AppConnection>(
      loop_, endpoint_,
      AppConnection::Handlers{
          .on_open = [this] { handlers_.on_open(); },
          .on_reply = [this](AppReply reply) { replied(std::move(reply)); },
          .on_closed = [this](const std::string& reason) { disconnect(reason); },
      });
}

void OrderedLane::disconnect(const std::string& reason) {
  connection_.reset();
  question_.reset();
  std::deque<OrderedCall> unanswered;
  for (InFlight& item : std::exchange(in_flight_, {})) {
    if (auto* sent = std::get_if<SentCall>(&item)) {
      unanswered.push_back(std::move(sent->call));
    } else if (AppRead& read = std::get<AppRead>(item); read.done) {
      reads_.give_back(std::move(read), reason);
    }
  }
  handlers_.on_closed(reason, std::move(unanswered));
}

void OrderedLane::abandon() {
  read_deadline_.cancel();
  connection_.reset();
  question_.reset();
  in_flight_.clear();
}

bool OrderedLane::carries_calls() const {
  return std::any_of(in_flight_.begin(), in_flight_.end(),
                     [](const InFlight& item) { return std::holds_alternative<SentCall>(item); });
}

void OrderedLane::ask(AppProbe question, std::function<void(Result<std::string>)> answered) {
  connection_->deliver(question.payload(), std::nullopt, uncompared());
  question_.emplace(Question{std::move(question), std::move(answered)});
}

void OrderedLane::deliver(SentCall call, const std::optional<Delivery>& delivery,
                          const Comparison& comparison) {
  connection_->deliver(call.call.call->operation.payload, delivery, comparison);
  in_flight_.emplace_back(std::move(call));
}

void OrderedLane::deliver(AppRead read) {
  connection_->deliver(read.payload, std::nullopt, *read.comparison);
  in_flight_.emplace_back(std::move(read));
  watch_reads();
}

void OrderedLane::replied(AppReply reply) {
  if (question_) {
    Question question = std::move(*question_);
    question_.reset();
    return question.answered(question.probe.answer(reply.reply));
  }
  InFlight first = std::move(in_flight_.front());
  in_flight_.pop_front();
  if (const auto* sent = std::get_if<SentCall>(&first)) {
    return handlers_.on_answer(*sent, std::move(reply));
  }
  handlers_.on_room();
  if (const auto& done = std::get<AppRead>(first).done) done(std::move(reply.reply));
}

// ---------------------------------------------------------------- reads that come too late

void OrderedLane::watch_reads() {
  Instant earliest = kNever;
  for (const InFlight& item : in_flight_) {
    const auto* read = std::get_if<AppRead>(&item);
    if (read && read->done) earliest = std::min(earliest, read->deadline);
  }
  read_deadline_.at(earliest);
}

/// A read beyond its deadline fails; where the connection carries no call, that is given up.
void OrderedLane::expire_reads() {
  const Instant now = read_clocks().instant;
  std::vector<AppRead::Done> late;
  for (InFlight& item : in_flight_) {
    auto* read = std::get_if<AppRead>(&item);
    if (read && read->done && read->deadline <= now) {
      late.push_back(std::exchange(read->done, nullptr));
    }
  }
  if (!late.empty() && !carries_calls()) disconnect("");
  watch_reads();
  for (const auto& done : late) done(app_unreachable("it did not answer in time"));
}

}  // namespace zap
