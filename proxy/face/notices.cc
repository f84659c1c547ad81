#include "proxy/face/notices.h"

#include "proxy/face/logging.h"
#include "proxy/net/event_loop.h"

namespace zap {

namespace {

void report_lie(const Notice& notice, const std::string& member, Evidence& evidence) {
  const Result<bool> kept = evidence.keep(notice, read_clocks().wall);
  if (!kept) log_error("evidence is not kept", {{"why", kept.error().message}});
  if (kept && !*kept) return;
  log_error("a member signed what contradicts itself",
            {{"node", member}, {"term", notice.view}, {"slot", notice.seq}, {"what", notice.text}});
}

}  // namespace

void report(const Notice& notice, const Membership& membership, Metrics& metrics,
            Evidence& evidence) {
  switch (notice.kind) {
    case Notice::Kind::kViewChange:
      metrics.view_changes.Increment();
      return log_warning("view change",
                         {{"term", notice.view}, {"next_leader", membership.name_of(notice.node)}});
    case Notice::Kind::kNewView:
      return log_info("new view",
                      {{"term", notice.view}, {"leader", membership.name_of(notice.node)}});
    case Notice::Kind::kStable:
      return log_debug("checkpoint stable", {{"slot", notice.seq}});
    case Notice::Kind::kCaughtUp:
      return log_info("caught up", {{"term", notice.view}, {"slot", notice.seq}});
    case Notice::Kind::kEquivocation:
      return report_lie(notice, membership.name_of(notice.node), evidence);
    case Notice::Kind::kAmnesia:
      return log_warning("the log lacks what this node said", {{"what", notice.text}});
    case Notice::Kind::kReturned:
      return log_info("votes", {{"term", notice.view}, {"slot", notice.seq}});
  }
}

}  // namespace zap
