#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "proxy/app/applier_implementation.h"
#include "proxy/face/logging.h"

namespace zap {

// ---------------------------------------------------------------- where it goes on

void Applier::Implementation::settle() {
  const AppResume next = resume({
      .state = settings_.app.state,
      .answers_index = settings_.app.applied_index.has_value(),
      .supervised = supervisor_ != nullptr,
      .settled_before = settled_before_,
      .quarantined = held_,
      .app_is = settings_.app_is,
      .decided_at_start = decided_at_start_,
      .run = lane_.run(),
      .known = progress_.known(),
      .known_run = progress_.run(),
      .answered = progress_.answered(),
      .sent = progress_.sent(),
      .ever_sent = progress_.ever_sent(),
  });
  switch (next.action) {
    case AppResume::Action::kGoOn:
      return go_on(next.after, next.same_run);
    case AppResume::Action::kAsk: {
      auto probe =
          AppProbe::make(endpoint_.protocol, endpoint_.address, *settings_.app.applied_index);
      if (!probe.ok()) return wait_for_operator(probe.error().message);
      return lane_.ask(std::move(*probe),
                       [this](const Result<std::string>& text) { index_answered(text); });
    }
    case AppResume::Action::kRestart:
      supervisor_->restart(next.why);
      return lane_.disconnect("it is being restarted");
    case AppResume::Action::kWait:
      return wait_for_operator(next.why);
  }
}

void Applier::Implementation::index_answered(const Result<std::string>& text) {
  const auto index = text.ok() ? parse_index(*text) : Result<Index>(text.error());
  if (!index.ok()) return lane_.disconnect(index.error().message);
  if (*index > std::max(backlog_.decided(), decided_at_start_)) {
    log_warning("the application has calls that this node's log does not hold yet",
                {{"app", to_string(endpoint_.address)}, {"index", *index}});
  }
  go_on(*index, /*same_run=*/false);
}

void Applier::Implementation::go_on(Index after, bool same_run) {
  const Index answered = progress_.answered();
  const Index last_sent = unanswered_.empty() ? answered : unanswered_.back().index;
  if (!same_run) {
    const Index had = settled_before_ ? applied_ : progress_.ever_sent();
    if (after < had) {
      log_warning("the application restarted: its calls are replayed",
                  {{"app", to_string(endpoint_.address)}, {"from", after + 1}, {"to", had}});
    }
    progress_.begin_run(lane_.run(), after, decided_at_start_);
  }
  // What it has executed and its connection took the answers of.
  for (; !unanswered_.empty() && unanswered_.front().index <= after; unanswered_.pop_front()) {
    const OrderedCall& lost = unanswered_.front();
    observer_.answered({.index = lost.index, .call = lost.call, .replay = true});
  }
  // A reconnection must not cost a pass over the log: what comes next is still in memory.
  if (settled_before_ && answered <= after && after <= last_sent) {
    backlog_.give_back(std::exchange(unanswered_, {}));
  } else {
    unanswered_.clear();
    backlog_.rewind(after + 1, decided_at_start_);
  }
  held_ = progress_.quarantined_at() != 0 && after >= progress_.quarantined_at();
  error_.clear();
  waits_because_.clear();
  const bool again = after < progress_.ever_sent();
  if (again) replays_ = progress_.ever_sent();
  if ((again && !same_run) || !settled_before_) {
    target_ = std::max({progress_.ever_sent(), after, backlog_.decided()});
  }
  settled_ = settled_before_ = true;
  move_applied();
  pump();
  note_health();
}

void Applier::Implementation::wait_for_operator(const std::string& why) {
  if (waits_because_ == why) return;
  waits_because_ = why;
  log_error("calls are not handed to the application",
            {{"app", to_string(endpoint_.address)}, {"why", why}});
  reads_.refuse(app_unreachable(why));
  note_health();
}

// ---------------------------------------------------------------- quarantine

bool Applier::Implementation::quarantine(Index first_differing) {
  if (first_differing <= replays_) return false;
  progress_.quarantine(first_differing);
  held_ = true;
  reads_.refuse(quarantined());
  if (supervisor_ && settings_.app.state == config::AppState::kMemory) {
    heal_.after(limits::kQuarantineSettles);
  } else {
    log_warning("the application stays in quarantine until it has been replayed",
                {{"app", to_string(endpoint_.address)},
                 {"way_out", settings_.app.state == config::AppState::kMemory
                                 ? "restart it"
                                 : "empty it, and start the sidecar with --app-is empty"}});
  }
  note_health();
  return true;
}

void Applier::Implementation::restart_diverged() {
  if (held_) supervisor_->restart("it has diverged: a replay gives it the agreed state");
}

void Applier::Implementation::take_quarantine_back() {
  if (progress_.quarantined_at() == 0) return;
  held_ = false;
  end_quarantine("it would leave too few applications");
  pump();
}

void Applier::Implementation::end_quarantine(const char* why) {
  progress_.lift_quarantine();
  log_info("the application is out of quarantine",
           {{"app", to_string(endpoint_.address)}, {"why", why}, {"applied", applied_}});
  note_health();
}

Error Applier::Implementation::quarantined() const {
  return {ErrorCode::kDiverged,
          "the application beside this node is in quarantine: its answer to "
          "call " +
              std::to_string(progress_.quarantined_at()) + " was not that of the other copies"};
}

// ---------------------------------------------------------------- health

AppHealth Applier::Implementation::health() const {
  AppHealth health{.applied = applied_, .target = target_, .since = since_, .error = error_};
  if (progress_.quarantined_at() != 0) {
    health.state = AppHealth::State::kQuarantined;
    health.diverged_at = progress_.quarantined_at();
  } else if (!waits_because_.empty()) {
    health.state = AppHealth::State::kUndecided;
    health.error = waits_because_;
  } else if (attempts_.blocked()) {
    health.state = AppHealth::State::kBlocked;
    health.blocked_at = attempts_.breaking();
    health.attempts = attempts_.breaks();
  } else if (!error_.empty()) {
    health.state = AppHealth::State::kUnreachable;
  } else if (!settled_before_) {
    health.state = AppHealth::State::kStarting;
  } else if (applied_ < target_) {
    health.state = AppHealth::State::kReplaying;
  } else {
    health.state = AppHealth::State::kOk;
  }
  return health;
}

void Applier::Implementation::note_health() {
  const AppHealth now = health();
  if (now.state == AppHealth::State::kOk && settled_) reads_.allow(lane_.run());
  if (now.state == AppHealth::State::kReplaying) reads_.hold();
  if (now.state == std::exchange(noted_, now.state)) return;
  if (now.ready()) {
    since_.reset();
  } else if (!since_) {
    since_ = read_clocks().instant;
  }
}

}  // namespace zap
