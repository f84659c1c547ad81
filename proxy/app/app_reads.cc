#include "proxy/app/app_reads.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace zap {

namespace {

constexpr const char* kHeld = "its calls are replayed, or it has restarted";
constexpr const char* kTooSlow =
    "it did not answer in time (can it serve several connections at once?)";

}  // namespace

Error app_unreachable(const std::string& reason) {
  return {ErrorCode::kUnavailable, "the application cannot be reached: " + reason};
}

AppReads::AppReads(EventLoop& loop, const AppEndpoint& endpoint, Settings settings,
                   std::function<void()> on_other_run, std::function<void()> on_waiting)
    : loop_(loop),
      endpoint_(endpoint),
      settings_(settings),
      on_other_run_(std::move(on_other_run)),
      on_waiting_(std::move(on_waiting)),
      deadline_(loop, [this] { expire(); }) {}

void AppReads::add(AppRead read) {
  if (state_ == State::kRefused) return read.done(refusal_);
  if (read.in_place) {
    if (state_ == State::kHeld) return read.done(app_unreachable(kHeld));
    watch(read.deadline);
    in_place_.push_back(std::move(read));
    return pump();
  }
  if (waiting_.size() >= settings_.waiting) {
    return read.done(Error{ErrorCode::kTooLarge, std::to_string(settings_.waiting) +
                                                     " reads wait for the application already; "
                                                     "try again later"});
  }
  watch(read.deadline);
  waiting_.push_back(std::move(read));
  pump();
}

void AppReads::allow(const std::string& run) {
  state_ = State::kAllowed;
  run_ = run;
  pump();
}

void AppReads::hold() {
  state_ = State::kHeld;
  for (AppRead& read : std::exchange(in_place_, {})) read.done(app_unreachable(kHeld));
}

void AppReads::refuse(const Error& error) {
  state_ = State::kRefused;
  refusal_ = error;
  fail_waiting(error);
}

std::optional<AppRead> AppReads::take() {
  if (!any()) return std::nullopt;
  std::deque<AppRead>& first = in_place_.empty() ? waiting_ : in_place_;
  AppRead read = std::move(first.front());
  first.pop_front();
  return read;
}

void AppReads::give_back(AppRead read, const std::string& reason) {
  const bool may_wait = !read.in_place || state_ == State::kAllowed;
  if (!read.repeatable || !may_wait) return read.done(app_unreachable(reason));
  read.repeatable = false;
  watch(read.deadline);
  (read.in_place ? in_place_ : waiting_).push_front(std::move(read));
}

// ---------------------------------------------------------------- lanes

void AppReads::pump() {
  if (settings_.connections == 0) {
    if (any()) on_waiting_();
    return;
  }
  while (any()) {
    const auto lane = ready_lane();
    if (lane == lanes_.end()) {
      if (lanes_.size() < settings_.connections) open_lane();
      return;
    }
    AppRead read = std::move(*take());
    lane->connection->deliver(read.payload, std::nullopt, *read.comparison);
    lane->in_flight.push_back(std::move(read));
  }
}

AppReads::Lanes::iterator AppReads::ready_lane() {
  return std::find_if(lanes_.begin(), lanes_.end(),
                      [](const Lane& lane) { return lane.connection->ready(); });
}

void AppReads::open_lane() {
  const auto lane = lanes_.emplace(lanes_.end());
  lane->connection = std::make_unique<AppConnection>(
      loop_, endpoint_,
      AppConnection::Handlers{
          .on_open = [this, lane] { opened(lane); },
          .on_reply = [this, lane](AppReply reply) { replied(lane, std::move(reply)); },
          .on_closed = [this, lane](const std::string& reason) { closed(lane, reason); },
      });
}

void AppReads::opened(Lanes::iterator lane) {
  if (state_ == State::kAllowed && lane->connection->run() != run_ && !run_.empty()) {
    hold();
    lanes_.erase(lane);
    return on_other_run_();
  }
  pump();
}

void AppReads::replied(Lanes::iterator lane, AppReply reply) {
  AppRead read = std::move(lane->in_flight.front());
  lane->in_flight.pop_front();
  pump();
  read.done(std::move(reply.reply));
}

void AppReads::closed(Lanes::iterator lane, const std::string& reason) {
  const bool never_opened = !reason.empty() && lane->in_flight.empty();
  close(lane, reason);
  if (!never_opened) return pump();
  if (lanes_.empty())
    fail_waiting(app_unreachable(reason));  // else the other lanes go on with them
}

void AppReads::close(Lanes::iterator lane, const std::string& reason) {
  std::deque<AppRead> unanswered = std::move(lane->in_flight);
  lanes_.erase(lane);
  while (!unanswered.empty()) {
    AppRead read = std::move(unanswered.back());
    unanswered.pop_back();
    give_back(std::move(read), reason);
  }
}

// ---------------------------------------------------------------- deadlines

void AppReads::fail_waiting(const Error& error) {
  for (auto* reads : {&in_place_, &waiting_}) {
    for (AppRead& read : std::exchange(*reads, {})) read.done(error);
  }
}

void AppReads::watch(Instant deadline) {
  if (deadline >= watched_) return;
  watched_ = deadline;
  deadline_.at(deadline);
}

void AppReads::expire() {
  const Instant now = read_clocks().instant;
  watched_ = kNever;
  std::vector<AppRead> late;
  const auto take_late = [&](std::deque<AppRead>& reads) {
    const auto first_late = std::stable_partition(
        reads.begin(), reads.end(), [now](const AppRead& read) { return read.deadline > now; });
    std::move(first_late, reads.end(), std::back_inserter(late));
    reads.erase(first_late, reads.end());
    for (const AppRead& read : reads) watch(read.deadline);
  };
  take_late(in_place_);
  take_late(waiting_);
  for (auto lane = lanes_.begin(); lane != lanes_.end();) {
    const auto next = std::next(lane);
    const std::size_t before = late.size();
    take_late(lane->in_flight);
    // Its answer may still come: the connection can carry nothing else any more.
    if (late.size() > before) close(lane, "a read before this one did not end in time");
    lane = next;
  }
  for (AppRead& read : late) read.done(app_unreachable(kTooSlow));
  pump();
}

}  // namespace zap
