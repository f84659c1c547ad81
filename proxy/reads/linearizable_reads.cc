#include "proxy/reads/linearizable_reads.h"

#include <algorithm>
#include <string>
#include <utility>

#include "consensus/wire/codec.h"
#include "core/limits.h"

namespace zap {
namespace {

bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

}  // namespace

LinearizableReads::LinearizableReads(EventLoop& loop, Settings settings, Handlers handlers)
    : settings_(std::move(settings)),
      handlers_(std::move(handlers)),
      due_(loop, [this] { check_due(); }) {}

void LinearizableReads::add(WaitingRead read) {
  ++unanswered_;
  first_.push_back(std::make_shared<Read>(Read{std::move(read)}));
}

// ---------------------------------------------------------------- barriers

Operation LinearizableReads::take_barrier(const OperationId& id, Instant now, WallTime agreed) {
  Attempt attempt{.stage = first_.empty() ? Stage::kAllRead : Stage::kSomeRead};
  std::vector<ReadPtr>& waiting = first_.empty() ? second_ : first_;
  const bool quorum = settings_.replies == config::Replies::kQuorum;
  wire::Barrier barrier;
  if (quorum) attempt.readers = barrier.readers = choose_readers(attempt.stage, now);
  barrier.whole = attempt.stage == Stage::kAllRead || !contains(barrier.readers, settings_.self);

  Instant deadline = now;
  std::size_t bytes = 0;
  std::size_t taken = 0;
  for (; taken < waiting.size() && taken < limits::kBarrierReads; ++taken) {
    ReadPtr& read = waiting[taken];
    const WaitingRead& what = read->waiting;
    bytes += what.payload.size();
    if (bytes > limits::kSubmitBytes && taken > 0) break;
    deadline = std::max(deadline, what.deadline);
    if (quorum) {
      barrier.reads.push_back({what.route->listener->name, what.method->match, what.payload});
    }
    attempt.places.push_back({.read = std::move(read)});
  }
  waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(taken));
  attempts_.emplace(id.number, std::move(attempt));
  return {.id = id,
          .deadline = agreed + (deadline - now).count(),
          .payload = wire::encode(barrier),
          .kind = OperationKind::kBarrier};
}

/// f + 1 of those that answer and were not late; all members where they are too few.
std::vector<NodeId> LinearizableReads::choose_readers(Stage stage, Instant now) {
  std::vector<NodeId> readers;
  if (stage == Stage::kSomeRead) {
    const auto in_time = [&](NodeId node) {
      const auto late = late_until_.find(node);
      return late == late_until_.end() || late->second <= now;
    };
    if (handlers_.local_is_well() && in_time(settings_.self)) readers.push_back(settings_.self);
    std::vector<NodeId> others = handlers_.readers();
    std::erase_if(others, [&](NodeId node) { return !in_time(node); });
    if (!others.empty()) {
      const auto first = static_cast<std::ptrdiff_t>(turn_++ % others.size());
      std::rotate(others.begin(), others.begin() + first, others.end());
    }
    for (const NodeId node : others) {
      if (readers.size() < settings_.quorum.one_correct()) readers.push_back(node);
    }
    if (readers.size() == settings_.quorum.one_correct()) return readers;
  }
  return settings_.everyone;
}

void LinearizableReads::decided(const OperationId& id, Index index, Instant now) {
  const auto found = attempts_.find(id.number);
  if (found == attempts_.end()) return;
  Attempt& attempt = found->second;
  if (settings_.replies == config::Replies::kLocal) {
    for (const Place& place : attempt.places) {
      if (place.read->stage == Stage::kOver) continue;
      end(*place.read);
      handlers_.read_locally(place.read->waiting, index);
    }
    attempts_.erase(found);
    return;
  }
  attempt.index = index;
  attempt.due = now + settings_.round_timeout / 4;
  if (!due_.pending()) due_.at(attempt.due);
  for (Place& place : attempt.places) settle(attempt, place);
}

// ---------------------------------------------------------------- answers

void LinearizableReads::heard(NodeId from, const wire::ReadAnswers& answers) {
  const auto found = attempts_.find(answers.number);
  if (found == attempts_.end() || !contains(found->second.readers, from)) return;
  Attempt& attempt = found->second;
  if (!contains(attempt.heard, from)) attempt.heard.push_back(from);
  for (const wire::ReadAnswers::Answer& answer : answers.answers) {
    if (answer.position >= attempt.places.size()) continue;
    Place& place = attempt.places[answer.position];
    if (place.read->stage == Stage::kOver || !place.votes.add(from, answer.digest)) continue;
    if (answer.digest && !answer.payload.empty()) {
      place.whole.push_back(answer);
      place.gave_whole.push_back(from);
    }
    settle(attempt, place);
  }
  const bool over = std::all_of(attempt.places.begin(), attempt.places.end(),
                                [](auto& place) { return place.read->stage == Stage::kOver; });
  if (over) attempts_.erase(found);
}

void LinearizableReads::settle(Attempt& attempt, Place& place) {
  if (place.read->stage == Stage::kOver || !attempt.index) return;
  const std::size_t to_come = attempt.readers.size() - place.votes.size();
  switch (place.votes.verdict(settings_.quorum, to_come)) {
    case Verdict::kOpen:
      return;
    case Verdict::kAgreed: {
      const Digest& agreed = *place.votes.given_by(settings_.quorum.one_correct());
      if (const auto reply = whole_answer(place, agreed)) {
        return answer(place.read, *reply, *attempt.index);
      }
      if (place.votes.size() < attempt.readers.size()) return;
      return give_up(attempt, place.read);
    }
    case Verdict::kLost:
      return give_up(attempt, place.read);
    case Verdict::kDiffer:
      if (attempt.stage == Stage::kSomeRead) return give_up(attempt, place.read);
      return refuse(*place.read,
                    {.code = ProxyErrorCode::kAnswersDiffer,
                     .message = "the applications' answers to this read differ: no " +
                                std::to_string(settings_.quorum.one_correct()) + " are equal",
                     .index = attempt.index});
  }
}

std::optional<Reply> LinearizableReads::whole_answer(const Place& place,
                                                     const Digest& agreed) const {
  for (std::size_t i = 0; i < place.whole.size(); ++i) {
    const wire::ReadAnswers::Answer& answer = place.whole[i];
    if (answer.digest != agreed) continue;
    if (place.gave_whole[i] == settings_.self) return Reply{answer.payload, agreed};
    const Result<Reply> reply = handlers_.verify(place.read->waiting, answer.payload);
    if (reply && reply->compared == agreed) return *reply;
  }
  return std::nullopt;
}

void LinearizableReads::give_up(const Attempt& attempt, const ReadPtr& read) {
  if (read->stage != attempt.stage) return;  // its next attempt is under way
  if (attempt.stage == Stage::kSomeRead) {
    read->stage = Stage::kAllRead;
    second_.push_back(read);
    handlers_.again();
  } else {
    end(*read);
    handlers_.order(read->waiting);
  }
}

void LinearizableReads::answer(const ReadPtr& read, const Reply& reply, Index index) {
  if (index < read->waiting.min_index) {
    read->came_early = true;
    if (std::exchange(read->stage, Stage::kEarly) != Stage::kEarly) early_.push_back(read);
    return;
  }
  end(*read);
  handlers_.answered(read->waiting, reply, index);
}

void LinearizableReads::refuse(Read& read, const ProxyError& error) {
  end(read);
  handlers_.refused(read.waiting, error);
}

void LinearizableReads::end(Read& read) {
  read.stage = Stage::kOver;
  --unanswered_;
}

// ---------------------------------------------------------------- time

void LinearizableReads::check_due() {
  const Instant now = read_clocks().instant;
  Instant next = kNever;
  for (auto& [number, attempt] : attempts_) {
    if (attempt.due > now) {
      next = std::min(next, attempt.due);
      continue;
    }
    attempt.due = kNever;
    for (const NodeId node : attempt.readers) {
      if (!contains(attempt.heard, node)) late_until_[node] = now + limits::kLateReaderRest;
    }
    for (const Place& place : attempt.places) give_up(attempt, place.read);
  }
  due_.at(next);
}

void LinearizableReads::tick(Instant now) {
  for (const ReadPtr& read : std::exchange(early_, {})) {
    if (read->stage != Stage::kEarly) continue;
    read->stage = Stage::kSomeRead;
    first_.push_back(read);
    handlers_.again();
  }
  const auto is_over = [](const ReadPtr& read) { return read->stage == Stage::kOver; };
  for (auto* waiting : {&first_, &second_}) {
    for (const ReadPtr& read : *waiting) expire(*read, now);
    std::erase_if(*waiting, is_over);
  }
  for (auto& [number, attempt] : attempts_) {
    for (const Place& place : attempt.places) expire(*place.read, now);
  }
  std::erase_if(attempts_, [&](const auto& entry) {
    const auto& places = entry.second.places;
    return std::all_of(places.begin(), places.end(),
                       [&](const Place& place) { return is_over(place.read); });
  });
}

void LinearizableReads::expire(Read& read, Instant now) {
  if (read.stage == Stage::kOver || read.waiting.deadline > now) return;
  if (read.came_early) {
    return refuse(read, {.code = ProxyErrorCode::kIndexNotReached,
                         .message = "index " + std::to_string(read.waiting.min_index) +
                                    " was not given to any call before the time-out"});
  }
  refuse(read, {.code = ProxyErrorCode::kOutcomeUnknown,
                .message = "no answer before the time-out; a read changes nothing: try again"});
}

}  // namespace zap
