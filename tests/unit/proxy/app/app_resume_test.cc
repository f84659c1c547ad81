#include "proxy/app/app_resume.h"

#include <catch2/catch.hpp>

namespace zap {
namespace {

using config::AppState;

/// As `after N`, `ask`, `restart` or `wait`; with "same run" where the marks go on.
std::string resumed(const AppSituation& situation) {
  const AppResume next = resume(situation);
  const std::string same = next.same_run ? ", same run" : "";
  switch (next.action) {
    case AppResume::Action::kGoOn:
      return "after " + std::to_string(next.after) + same;
    case AppResume::Action::kAsk:
      return "ask" + same;
    case AppResume::Action::kRestart:
      return "restart" + same;
    case AppResume::Action::kWait:
      return "wait" + same;
  }
  return {};
}

/// Run "a" answered 5 calls; the log holds 9.
AppSituation answered_five(AppState state, std::string_view run) {
  return {.state = state,
          .decided_at_start = 9,
          .run = run,
          .known = true,
          .known_run = "a",
          .answered = 5,
          .sent = 5,
          .ever_sent = 5};
}

AppSituation in_doubt(AppSituation situation) {
  situation.sent = situation.ever_sent = situation.answered + 1;
  return situation;
}

TEST_CASE("app resume: the same run goes on, whatever its state is") {
  CHECK(resumed(answered_five(AppState::kMemory, "a")) == "after 5, same run");
  CHECK(resumed(answered_five(AppState::kDurable, "a")) == "after 5, same run");
}

TEST_CASE("app resume: another run of a memory application starts over, a durable one goes on") {
  CHECK(resumed(answered_five(AppState::kMemory, "b")) == "after 0");
  CHECK(resumed(answered_five(AppState::kDurable, "b")) == "after 5");
}

TEST_CASE("app resume: a call in doubt is asked for, undone by a restart, or sent again") {
  for (const AppState state : {AppState::kMemory, AppState::kDurable}) {
    AppSituation situation = in_doubt(answered_five(state, "a"));
    CHECK(resumed(situation) == "after 5, same run");
    situation.supervised = true;
    CHECK(resumed(situation) ==
          (state == AppState::kMemory ? "restart, same run" : "after 5, same run"));
    situation.answers_index = true;
    CHECK(resumed(situation) == "ask, same run");
  }
}

TEST_CASE("app resume: an application that tells its index is asked after every restart") {
  AppSituation situation = answered_five(AppState::kMemory, "b");
  situation.answers_index = true;
  CHECK(resumed(situation) == "ask");
}

TEST_CASE("app resume: an application that was never sent anything starts at the first call") {
  for (const AppState state : {AppState::kMemory, AppState::kDurable}) {
    CHECK(resumed({.state = state, .run = "a"}) == "after 0");
    CHECK(resumed({.state = state, .run = ""}) == "after 0");
    CHECK(resumed({.state = state, .decided_at_start = 9, .run = "a", .known = true}) == "after 0");
  }
}

TEST_CASE("app resume: where nothing tells of a memory application, an operator must") {
  AppSituation situation = answered_five(AppState::kMemory, "");
  situation.known_run = "";
  CHECK(resumed(situation) == "wait");
  situation.app_is = AppIs::kEmpty;
  CHECK(resumed(situation) == "after 0");
  situation.app_is = AppIs::kKept;
  CHECK(resumed(situation) == "after 5");
}

TEST_CASE("app resume: where nothing tells, a new connection of one sidecar is no restart") {
  AppSituation situation = answered_five(AppState::kMemory, "");
  situation.known_run = "";
  situation.settled_before = true;
  CHECK(resumed(situation) == "after 5, same run");
  situation.answers_index = true;  // unless it can be asked
  CHECK(resumed(situation) == "ask");
}

TEST_CASE("app resume: an operator's word that it is empty ends a quarantine, once") {
  for (const AppState state : {AppState::kMemory, AppState::kDurable}) {
    AppSituation situation = answered_five(state, "a");
    situation.app_is = AppIs::kEmpty;
    CHECK(resumed(situation) == "after 5, same run");  // it is known better
    situation.quarantined = true;
    CHECK(resumed(situation) == "after 0");
    situation.settled_before = true;
    CHECK(resumed(situation) == "after 5, same run");
  }
}

TEST_CASE("app resume: a lost progress file leaves only what the operator says") {
  for (const AppState state : {AppState::kMemory, AppState::kDurable}) {
    AppSituation situation{.state = state, .decided_at_start = 9, .run = "a"};
    CHECK(resumed(situation) == "wait");
    situation.app_is = AppIs::kEmpty;
    CHECK(resumed(situation) == "after 0");
    situation.app_is = AppIs::kKept;
    CHECK(resumed(situation) == "after 9");
  }
}

TEST_CASE("app resume: a supervised memory application is a new child, and empty") {
  CHECK(resumed({.state = AppState::kMemory,
                 .supervised = true,
                 .decided_at_start = 9,
                 .run = "child"}) == "after 0");
}

}  // namespace
}  // namespace zap
