#include "proxy/peers/strangers.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "core/limits.h"

namespace zap {

PeerLink* Strangers::add(std::unique_ptr<PeerLink> link) {
  std::string host = link->remote_host();
  const bool of_member = is_members_host_(host);
  all_.push_back({std::move(link), std::move(host), of_member});
  const auto of_its_kind = std::count_if(
      all_.begin(), all_.end(), [&](const Stranger& each) { return each.of_member == of_member; });
  return static_cast<std::size_t>(of_its_kind) > limits::kStrangers ? one_of_most(of_member)
                                                                    : nullptr;
}

std::unique_ptr<PeerLink> Strangers::take(const PeerLink& link) {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [&](const Stranger& each) { return each.link.get() == &link; });
  if (found == all_.end()) return nullptr;
  auto taken = std::move(found->link);
  all_.erase(found);
  return taken;
}

/// The newest has shown no certificate yet: there always is one that may go.
PeerLink* Strangers::one_of_most(bool of_member) {
  const auto may_go = [&](const Stranger& each) {
    return each.of_member == of_member && each.link->handshake() != Handshake::kDone;
  };
  std::unordered_map<std::string_view, std::size_t> counts;
  std::string_view most;
  for (const Stranger& each : all_) {
    if (may_go(each) && ++counts[each.host] > counts[most]) most = each.host;
  }
  std::vector<PeerLink*> candidates;
  Handshake least = Handshake::kDone;
  for (const Stranger& each : all_) {
    if (!may_go(each) || each.host != most || each.link->handshake() > least) continue;
    if (each.link->handshake() < least) candidates.clear();
    least = each.link->handshake();
    candidates.push_back(each.link.get());
  }
  return candidates[std::uniform_int_distribution<std::size_t>(0, candidates.size() - 1)(lot_)];
}

}  // namespace zap
