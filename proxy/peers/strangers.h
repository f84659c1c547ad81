// proxy/peers/strangers.h - connections at the peer port that have not said who they are.
//
// Anyone may open one, so there is a bound, and whoever floods the port must not keep a member out.
// Members' addresses have places of their own. For one too many, one of those goes that come from
// the address which has most of them, and rather one that has not said a word than one whose TLS
// handshake is under way. Which of them is drawn by lot: the oldest, or the newest, would as a rule
// be a member behind a flood from its own address. One whose handshake is done has shown a
// certificate of the cluster and stays.
//
// Threads: lives on the main loop.

#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "proxy/peers/peer_link.h"

namespace zap {

class Strangers {
 public:
  using IsMembersHost = std::function<bool(const std::string& host)>;

  explicit Strangers(IsMembersHost is_members_host)
      : is_members_host_(std::move(is_members_host)) {}

  /// One more. The answer is to be closed for it: null where there is room.
  PeerLink* add(std::unique_ptr<PeerLink> link);

  /// It is none any more; null where it was none.
  std::unique_ptr<PeerLink> take(const PeerLink& link);

 private:
  struct Stranger {
    std::unique_ptr<PeerLink> link;
    std::string host;
    bool of_member = false;
  };

  PeerLink* one_of_most(bool of_member);

  const IsMembersHost is_members_host_;
  std::vector<Stranger> all_;
  std::minstd_rand lot_{std::random_device()()};
};

}  // namespace zap
