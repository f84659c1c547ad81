#include "proxy/app/local_reads.h"

#include <string>
#include <utility>

#include "core/limits.h"

namespace zap {
namespace {

ProxyErrorCode code_of(ErrorCode failure) {
  switch (failure) {
    case ErrorCode::kTooLarge:
      return ProxyErrorCode::kOverloaded;
    case ErrorCode::kDiverged:
      return ProxyErrorCode::kAppQuarantined;
    default:
      return ProxyErrorCode::kAppUnreachable;
  }
}

}  // namespace

void LocalReads::read(std::weak_ptr<Client> client, const config::Method& method, ClientCall call,
                      Duration timeout) {
  const Index wanted = call.min_index.value_or(0);
  Waiting read{std::move(client), &method, std::move(call), read_clocks().instant + timeout};
  if (wanted <= app_.applied()) return send_or_wait(std::move(read));
  if (waiting_.size() >= limits::kReadsWaitingForIndex) {
    return refuse(read, ProxyErrorCode::kOverloaded,
                  "too many reads wait for an index that is not applied here yet");
  }
  waiting_.emplace(wanted, std::move(read));
}

void LocalReads::applied_up_to(Index index) {
  while (!waiting_.empty() && waiting_.begin()->first <= index) {
    send_or_wait(std::move(waiting_.extract(waiting_.begin()).mapped()));
  }
  look_again();
}

bool LocalReads::is_fresh_enough(const Waiting& read) const {
  const auto& most = read.method->max_staleness;
  return !most || read_clocks().instant - as_of_(app_.applied()) <= *most;
}

void LocalReads::send_or_wait(Waiting read) {
  if (is_fresh_enough(read)) return send(std::move(read));
  if (stale_.size() >= limits::kReadsWaitingForIndex) {
    return refuse(read, ProxyErrorCode::kOverloaded,
                  "too many reads wait for this node to hear from a quorum");
  }
  stale_.push_back(std::move(read));
}

void LocalReads::look_again() {
  std::deque<Waiting> waited = std::exchange(stale_, {});
  for (Waiting& read : waited) send_or_wait(std::move(read));
}

void LocalReads::expire(Instant now) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (at->second.deadline > now) {
      ++at;
      continue;
    }
    refuse(at->second, ProxyErrorCode::kIndexNotReached,
           "index " + std::to_string(at->first) + " is not applied here; this node is at " +
               std::to_string(app_.applied()));
    at = waiting_.erase(at);
  }
  std::erase_if(stale_, [&](const Waiting& read) {
    if (read.deadline > now) return false;
    refuse(read, ProxyErrorCode::kTooStale,
           "this node has not had all that a quorum has for longer than the method's "
           "max_staleness; ask another node");
    return true;
  });
}

void LocalReads::send(Waiting read) {
  const Duration left = read.deadline - read_clocks().instant;
  const Index index = app_.applied();
  const config::Mode mode = read.method->mode;
  Bytes payload = std::move(read.call.payload);
  ++asked_;
  Applier::Done done = [this, index, read = std::move(read)](Result<Reply> reply) {
    --asked_;
    if (!reply) return refuse(read, code_of(reply.error().code), reply.error().message);
    metrics_.count_request(read.method->mode, "ok");
    if (const auto client = read.client.lock()) {
      client->answer(read.call.sequence, {.payload = reply->payload, .index = index});
    }
  };
  if (mode == config::Mode::kPassthrough) {
    app_.pass_through(std::move(payload), left, std::move(done));
  } else {
    app_.read(std::move(payload), left, std::move(done));
  }
}

void LocalReads::refuse(const Waiting& read, ProxyErrorCode code, std::string message) {
  metrics_.count_request(read.method->mode, to_string(code));
  if (const auto client = read.client.lock()) {
    client->refuse(read.call.sequence, {.code = code, .message = std::move(message)});
  }
}

}  // namespace zap
