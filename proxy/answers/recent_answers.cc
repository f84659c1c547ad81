#include "proxy/answers/recent_answers.h"

namespace zap {

void RecentAnswers::keep(const Call& call, Index index, const Reply& reply) {
  const OperationId& id = call.operation.id;
  std::vector<RecentAnswer>& ring = rings_[id.origin];
  if (ring.empty()) ring.resize(answers_max_);
  RecentAnswer& place = ring[id.number % answers_max_];
  bytes_ += reply.payload.size();
  bytes_ -= place.reply.payload.size();
  place.id = id;
  place.index = index;
  place.kind = call.operation.kind;
  place.listener = call.operation.listener;
  place.method = call.operation.method;
  place.reply = reply;
  order_.push_back(id);
  while (order_.size() > answers_max_ || bytes_ > bytes_max_) forget_oldest();
}

const RecentAnswer* RecentAnswers::find(const OperationId& id) const {
  const auto ring = rings_.find(id.origin);
  if (ring == rings_.end()) return nullptr;
  const RecentAnswer& place = ring->second[id.number % answers_max_];
  return place.id == id && place.index > 0 ? &place : nullptr;
}

void RecentAnswers::forget_all() {
  rings_.clear();
  order_.clear();
  bytes_ = 0;
}

void RecentAnswers::forget_oldest() {
  const OperationId id = order_.front();
  order_.pop_front();
  RecentAnswer& place = rings_[id.origin][id.number % answers_max_];
  if (place.id != id) return;  // its place was taken by a newer one
  bytes_ -= place.reply.payload.size();
  place.reply = {};
  place.index = 0;
}

}  // namespace zap
