#include "proxy/answers/inquiries.h"

#include <utility>

#include "core/limits.h"

namespace zap {

void Inquiries::open(const RecentAnswer& ours, Instant now) {
  if (inquiries_.size() >= limits::kInquiries || inquiries_.contains(ours.id)) return;
  Divergence suspected{.node = self_,
                       .id = ours.id,
                       .index = ours.index,
                       .listener = ours.listener,
                       .method = ours.method,
                       .given = ours.reply.compared};
  inquiries_.emplace(ours.id, Inquiry{std::move(suspected), {}, now + limits::kInquiryTime});
  handlers_.ask_all({.calls = {ours.id}, .digests_only = true});
}

void Inquiries::heard(NodeId from, const wire::Answers::Answer& answer) {
  const auto at = inquiries_.find(answer.call);
  if (at == inquiries_.end()) return;
  Inquiry& inquiry = at->second;
  inquiry.votes.add(from, answer.digest);
  if (const Digest* agreed = inquiry.votes.given_by(quorum_.size())) {
    Divergence found = std::move(inquiry.found);
    found.agreed = *agreed;
    inquiries_.erase(at);
    if (found.agreed != found.given) handlers_.diverged(found);
  } else if (inquiry.votes.size() + 1 == quorum_.n) {
    inquiries_.erase(at);
  }
}

void Inquiries::tick(Instant now) {
  std::erase_if(inquiries_, [now](const auto& each) { return each.second.until <= now; });
}

}  // namespace zap
