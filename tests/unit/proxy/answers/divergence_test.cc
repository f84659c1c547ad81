// What makes a node believe that its own application has diverged, and when it may say so.

#include <catch2/catch.hpp>

#include "core/limits.h"
#include "proxy/answers/app_census.h"
#include "proxy/answers/inquiries.h"

using namespace zap;
using namespace std::chrono_literals;

namespace {

constexpr Instant kStart{1000s};
constexpr OperationId kCall{1, 7, 42};

Digest digest(const char* text) { return Hasher("test").add(std::string_view(text)).finish(); }

struct Asking {
  void open() {
    RecentAnswer ours{.id = kCall, .index = 9, .listener = "main", .method = "POST /"};
    ours.reply.compared = digest("ours");
    inquiries.open(ours, kStart);
  }
  void says(NodeId node, const char* text) {
    inquiries.heard(node, {kCall, text ? std::optional(digest(text)) : std::nullopt, {}});
  }

  std::size_t asked = 0;
  std::vector<Divergence> diverged;
  Inquiries inquiries{0,
                      Quorum{4},
                      {.ask_all = [this](const auto&) { ++asked; },
                       .diverged = [this](const auto& found) { diverged.push_back(found); }}};
};

}  // namespace

TEST_CASE("inquiries: an origin's word is no proof; q equal answers are") {
  Asking here;
  here.open();
  CHECK(here.asked == 1);
  here.says(1, "theirs");
  here.says(1, "theirs");
  here.says(2, "theirs");
  CHECK(here.diverged.empty());
  here.says(3, "theirs");
  REQUIRE(here.diverged.size() == 1);
  CHECK(here.diverged[0].node == 0);
  CHECK(here.diverged[0].index == 9);
  CHECK(here.diverged[0].given == digest("ours"));
  CHECK(here.diverged[0].agreed == digest("theirs"));
}

TEST_CASE("inquiries: a false accusation ends with what the others really gave") {
  Asking here;
  here.open();
  for (const NodeId node : {1, 2, 3}) here.says(node, "ours");
  CHECK(here.diverged.empty());
  here.open();
  CHECK(here.asked == 2);
  here.says(1, "theirs");
  here.says(2, "theirs");
  here.says(3, nullptr);  // has forgotten it
  CHECK(here.diverged.empty());
  here.open();
  CHECK(here.asked == 3);
}

TEST_CASE("inquiries: one for a call at a time, so many in all, and not for ever") {
  Asking here;
  here.open();
  here.open();
  CHECK(here.asked == 1);
  for (std::uint64_t number = 1; number <= 2 * limits::kInquiries; ++number) {
    here.inquiries.open({.id = {2, 7, number}}, kStart);
  }
  CHECK(here.asked == limits::kInquiries);
  here.inquiries.tick(kStart + limits::kInquiryTime);
  here.open();
  CHECK(here.asked == limits::kInquiries + 1);
}

TEST_CASE("census: a quarantine leaves q healthy applications, or is not made") {
  AppCensus four(0, Quorum{4});
  CHECK(four.may_quarantine());
  four.said(2, {.ready = true, .quarantined_at = 5});
  CHECK_FALSE(four.may_quarantine());
  CHECK(four.mute() == std::vector<NodeId>{2});
  four.lost(2);
  CHECK_FALSE(four.may_quarantine());  // it will be quarantined when it comes back
  CHECK(four.ready().empty());
  four.said(2, {.ready = true});
  CHECK(four.may_quarantine());

  AppCensus six(0, Quorum{6});  // q is 4
  six.said(1, {.quarantined_at = 5});
  CHECK(six.may_quarantine());
  six.said(2, {.quarantined_at = 5});
  CHECK_FALSE(six.may_quarantine());
}

TEST_CASE("census: of those made at the same moment, all nodes keep the same") {
  AppCensus first(0, Quorum{4});
  AppCensus second(1, Quorum{4});
  first.said(1, {.quarantined_at = 8});
  second.said(0, {.quarantined_at = 8});
  CHECK(first.stands(8));
  CHECK_FALSE(second.stands(8));
  first.said(1, {.quarantined_at = 7});
  CHECK_FALSE(first.stands(8));
}
