#include "proxy/face/notices.h"

#include "proxy/face/logging.h"

namespace zap {

void report(const Notice& notice, const Membership& membership, Metrics& metrics) {
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
      metrics.evidence.Increment();
      return log_error("a member said two different things",
                       {{"node", membership.name_of(notice.node)},
                        {"term", notice.view},
                        {"slot", notice.seq},
                        {"what", notice.text}});
    case Notice::Kind::kAmnesia:
      return log_warning("the log lacks what this node said", {{"what", notice.text}});
    case Notice::Kind::kReturned:
      return log_info("votes", {{"term", notice.view}, {"slot", notice.seq}});
  }
}

}  // namespace zap
