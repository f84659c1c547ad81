#include "proxy/answers/answer_fetches.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/limits.h"

namespace zap {

void AnswerFetches::want(CallPtr call, const Digest& agreed, std::vector<NodeId> donors,
                         Instant now) {
  ZAP_CHECK(!donors.empty(), "an answer that f + 1 nodes gave, and no other node did");
  const OperationId id = call->operation.id;
  Fetch fetch{std::move(call), agreed, std::move(donors), now};
  // Calls in a row start with different donors: none of them carries all.
  const auto first = static_cast<std::ptrdiff_t>(id.number % fetch.donors.size());
  std::rotate(fetch.donors.begin(), fetch.donors.begin() + first, fetch.donors.end());
  const auto [place, added] = fetches_.emplace(id, std::move(fetch));
  if (added) ask(id, place->second, now);
}

void AnswerFetches::ask(const OperationId& id, Fetch& fetch, Instant now) {
  fetch.asked_at = now;
  wire::FetchAnswers& message = to_ask_[fetch.donors.front()];
  message.calls.push_back(id);
  if (message.calls.size() == limits::kFetchedAnswers) {
    handlers_.ask(fetch.donors.front(), std::exchange(message, {}));
  }
  if (!std::exchange(send_is_due_, true)) loop_.at_end_of_turn([this] { send(); });
}

void AnswerFetches::send() {
  send_is_due_ = false;
  for (const auto& [donor, message] : std::exchange(to_ask_, {})) {
    if (!message.calls.empty()) handlers_.ask(donor, message);
  }
}

void AnswerFetches::heard(NodeId from, const wire::Answers::Answer& answer, Instant now) {
  const auto found = fetches_.find(answer.call);
  if (found == fetches_.end()) return;
  Fetch& fetch = found->second;
  const auto donor = std::find(fetch.donors.begin(), fetch.donors.end(), from);
  if (donor == fetch.donors.end()) return;

  if (answer.digest) {
    const auto reply = handlers_.read(*fetch.call, answer.payload);
    if (reply && reply->compared == fetch.agreed) {
      fetches_.erase(found);
      return handlers_.done(answer.call, &*reply);
    }
  }
  const bool was_asked = donor == fetch.donors.begin();
  fetch.donors.erase(donor);
  if (fetch.donors.empty()) {
    fetches_.erase(found);
    return handlers_.done(answer.call, nullptr);
  }
  if (was_asked) ask(answer.call, fetch, now);
}

void AnswerFetches::tick(Instant now) {
  for (auto& [id, fetch] : fetches_) {
    if (now - fetch.asked_at < limits::kAnswerFetchTime) continue;
    std::rotate(fetch.donors.begin(), fetch.donors.begin() + 1, fetch.donors.end());
    ask(id, fetch, now);
  }
}

}  // namespace zap
