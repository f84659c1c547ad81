#include "tests/simulation/byzantine.h"

#include <algorithm>
#include <utility>

namespace zap::simulation {

using pbft::Batch;
using pbft::Bundle;
using pbft::BundleProof;
using pbft::Certificate;
using pbft::NewView;
using pbft::PrePrepare;
using pbft::ViewChange;

const Conspiracy::Split* Conspiracy::find(View view, Seq seq) const {
  const auto found = splits_.find({view, seq});
  return found == splits_.end() ? nullptr : &found->second;
}

const Conspiracy::Split& Conspiracy::split(View view, Seq seq, Split split) {
  return splits_.emplace(std::pair(view, seq), std::move(split)).first->second;
}

namespace {

constexpr std::size_t kOldMax = 128;

/// A call that looks like `origin`'s and was never made.
CallPtr invented_call(NodeId origin, std::uint64_t number) {
  Operation operation{.id = {.origin = origin, .incarnation = 1, .number = number},
                      .deadline = std::numeric_limits<WallTime>::max(),
                      .payload = "invented"};
  return std::make_shared<const Call>(std::move(operation));
}

}  // namespace

Byzantine::Byzantine(const Scenario& scenario, const Treachery& treachery, const Gate& gate,
                     test::Signer signer, Conspiracy& conspiracy, Random random)
    : scenario_(scenario),
      treachery_(treachery),
      gate_(gate),
      signer_(signer),
      conspiracy_(conspiracy),
      random_(random) {}

bool Byzantine::hears(const MessagePtr& message) {
  if (treachery_.replays) keep(message);
  const auto* bundle = std::get_if<Bundle>(message.get());
  if (bundle && treachery_.revives_calls) note_incarnation(*bundle);
  return !bundle || !treachery_.censors || bundle->proof->origin != *treachery_.censors;
}

void Byzantine::note_incarnation(const Bundle& bundle) {
  Heard& heard = calls_heard_[bundle.proof->origin];
  if (bundle.proof->incarnation < heard.incarnation) return;
  if (bundle.proof->incarnation > heard.incarnation) {
    if (heard.incarnation > 0) heard.stale = heard.call;
    heard.incarnation = bundle.proof->incarnation;
  }
  heard.call = bundle.calls.back()->digest;
}

void Byzantine::keep(const MessagePtr& message) {
  if (!random_.chance(0.2)) return;
  old_.push_back(message);
  if (old_.size() > kOldMax) old_.erase(old_.begin() + static_cast<long>(random_.below(kOldMax)));
}

bool Byzantine::is_withheld(NodeId to, const Message& message, NodeId leader) const {
  if ((treachery_.withheld[message.index()] >> to & 1) != 0) return true;
  const auto* bundle = std::get_if<Bundle>(&message);
  if (!bundle || bundle->proof->origin != signer_.self()) return false;
  const auto n = static_cast<NodeId>(scenario_.settings.membership.members.size());
  switch (treachery_.origin) {
    case Treachery::Origin::kHonest:
    case Treachery::Origin::kTwoPayloads:
    case Treachery::Origin::kFlood:
      return false;
    case Treachery::Origin::kLeaderOnly:
      return to != leader;
    case Treachery::Origin::kAllButLeader:
      return to == leader;
    case Treachery::Origin::kOneBackup:
      return to != (leader + 1) % n;
  }
  return false;
}

/// The walk that signs leaves alone what is signed already: the old signatures go first.
void Byzantine::sign_again(Message& message) const {
  if (auto* proposal = std::get_if<PrePrepare>(&message)) {
    proposal->signature = {};
  } else if (auto* prepare = std::get_if<pbft::Prepare>(&message)) {
    prepare->signature = {};
  } else if (auto* checkpoint = std::get_if<pbft::Checkpoint>(&message)) {
    checkpoint->signature = {};
  } else if (auto* change = std::get_if<ViewChange>(&message)) {
    change->signature = {};
  } else if (auto* view = std::get_if<NewView>(&message)) {
    view->signature = {};
    for (pbft::Reproposal& entry : view->reproposals) entry.signature = {};
  }
  gate_.sign(signer_, message);
}

MessagePtr Byzantine::signed_by_us(Message message) const {
  sign_again(message);
  return std::make_shared<const Message>(std::move(message));
}

std::vector<Byzantine::Utterance> Byzantine::says(NodeId to, const MessagePtr& message,
                                                  NodeId leader) {
  std::vector<Utterance> said;
  if (is_withheld(to, *message, leader)) return said;
  if (treachery_.replays) keep(message);

  Message bent = *message;
  bend(to, bent);
  Duration delay{};
  if (!treachery_.delays_proposals_only || std::holds_alternative<PrePrepare>(*message)) {
    delay = treachery_.delay;
  }
  add_invented_calls(to, bent, said);
  said.push_back({std::make_shared<const Message>(std::move(bent)), delay});
  add_other_story(to, *message, said);
  add_replay(said);
  add_foreign_epoch(*message, said);
  add_far_view_change(*message, said);
  add_flood(*message, said);
  return said;
}

void Byzantine::bend(NodeId to, Message& message) {
  if (auto* proposal = std::get_if<PrePrepare>(&message)) {
    bend(to, *proposal);
  } else if (auto* prepare = std::get_if<pbft::Prepare>(&message)) {
    take_sides(to, *prepare);
  } else if (auto* commit = std::get_if<pbft::Commit>(&message)) {
    take_sides(to, *commit);
  } else if (auto* bundle = std::get_if<Bundle>(&message)) {
    return bend(to, *bundle);  // forwarded calls keep their origin's signature
  } else if (auto* change = std::get_if<ViewChange>(&message)) {
    if (change->sender != signer_.self()) return;
    bend(*change);
  } else if (auto* view = std::get_if<NewView>(&message)) {
    if (gate_.leader_of(view->view) != signer_.self()) return;
    bend(*view);
  } else if (auto* decided = std::get_if<pbft::DecidedDigests>(&message)) {
    return bend(*decided);
  } else if (auto* batches = std::get_if<pbft::Batches>(&message)) {
    return bend(*batches);
  } else if (auto* status = std::get_if<pbft::Status>(&message)) {
    return bend(*status);
  } else if (auto* shown = std::get_if<pbft::Shown>(&message)) {
    return bend(*shown);
  } else {
    return;
  }
  sign_again(message);
}

void Byzantine::bend(NodeId to, PrePrepare& proposal) {
  if (treachery_.bad_digests && random_.chance(0.3)) proposal.digest.bytes[0] ^= 1;
  const bool splits = treachery_.equivocates || treachery_.invents_calls ||
                      treachery_.rushes_clock || treachery_.revives_calls;
  if (!splits) return;
  const Conspiracy::Split* split = conspiracy_.find(proposal.view, proposal.seq);
  if (!split) {
    if (!random_.chance(0.3)) return;
    Conspiracy::Split fresh{.other = proposal.batch,
                            .own_digest = proposal.digest,
                            .deceived = static_cast<std::uint32_t>(random_.next())};
    const auto revived = std::find_if(calls_heard_.begin(), calls_heard_.end(),
                                      [](const auto& heard) { return heard.second.stale; });
    if (revived != calls_heard_.end()) {
      // Beside a call of the life after it: at execution the old one must be void.
      fresh.other.calls.push_back(revived->second.call);
      fresh.other.calls.push_back(*std::exchange(revived->second.stale, std::nullopt));
      fresh.deceived = ~0u;
    } else if (treachery_.rushes_clock && random_.chance(0.5)) {
      fresh.other.timestamp += random_.between(Duration(0), std::chrono::hours(1)).count();
      fresh.deceived = ~0u;
    } else if (treachery_.invents_calls && random_.chance(0.5)) {
      const auto n = scenario_.settings.membership.members.size();
      const auto victim = static_cast<NodeId>((signer_.self() + 1) % n);
      fresh.other.calls.push_back(invented_call(victim, proposal.seq)->digest);
      fresh.deceived = ~0u;
    } else if (proposal.batch.calls.size() > 1 && random_.chance(0.5)) {
      fresh.other.calls.pop_back();
    } else if (!proposal.batch.calls.empty() && random_.chance(0.3)) {
      fresh.other.calls.push_back(proposal.batch.calls.front());
      fresh.deceived = ~0u;
    } else {
      fresh.other.timestamp += static_cast<WallTime>(random_.between(1, 5'000'000));
    }
    fresh.other_digest = digest_of(fresh.other);
    split = &conspiracy_.split(proposal.view, proposal.seq, std::move(fresh));
  }
  if ((split->deceived >> to & 1) == 0) return;
  proposal.batch = split->other;
  proposal.digest = split->other_digest;
}

template <typename VoteMessage>
void Byzantine::take_sides(NodeId to, VoteMessage& vote) const {
  const Conspiracy::Split* split = conspiracy_.find(vote.view, vote.seq);
  if (split && (split->deceived >> to & 1) != 0) vote.digest = split->other_digest;
}

void Byzantine::bend(NodeId to, Bundle& bundle) {
  const bool is_own = bundle.proof->origin == signer_.self();
  if (!is_own || treachery_.origin != Treachery::Origin::kTwoPayloads || to % 2 == 0) return;
  auto proof = std::make_shared<BundleProof>(*bundle.proof);
  if (bundle.calls.size() != proof->digests.size()) return;
  for (std::size_t i = 0; i < bundle.calls.size(); ++i) {
    Operation other = bundle.calls[i]->operation;
    other.payload = std::string(other.payload.view()) + ", or so";
    bundle.calls[i] = std::make_shared<const Call>(std::move(other));
    proof->digests[i] = bundle.calls[i]->digest;
  }
  proof->signature = signer_.sign(pbft::bundle_statement(gate_.cluster(), *proof));
  bundle.proof = std::move(proof);
}

void Byzantine::bend(ViewChange& change) {
  if (treachery_.omits_certificates && !change.prepared.empty()) {
    if (random_.chance(0.5)) {
      change.prepared.clear();
    } else {
      change.prepared.erase(change.prepared.begin() +
                            static_cast<long>(random_.below(change.prepared.size())));
    }
  }
  if (treachery_.forges_certificates) {
    Certificate forged;
    if (!change.prepared.empty()) forged = change.prepared.back();
    forged.seq += random_.below(2);
    forged.view += random_.below(2);
    forged.digest.bytes[5] ^= 1;
    if (!change.prepared.empty() && change.prepared.back().seq == forged.seq) {
      change.prepared.pop_back();
    }
    change.prepared.push_back(std::move(forged));
  }
}

void Byzantine::bend(NewView& view) {
  if (!treachery_.wrong_new_view) return;
  if (view.reproposals.empty() || random_.chance(0.2)) {
    const Seq next = view.reproposals.empty() ? 1 : view.reproposals.back().seq + 1;
    view.reproposals.push_back({.seq = next, .digest = pbft::null_digest()});
  } else if (random_.chance(0.5)) {
    view.reproposals.pop_back();
  } else {
    view.reproposals[random_.below(view.reproposals.size())].digest = pbft::null_digest();
  }
}

void Byzantine::bend(pbft::DecidedDigests& decided) {
  if (!treachery_.lies_decided || decided.digests.empty()) return;
  decided.digests[random_.below(decided.digests.size())] = pbft::null_digest();
}

void Byzantine::bend(pbft::Batches& batches) {
  if (!treachery_.lies_decided) return;
  for (pbft::BatchContent& content : batches.contents) {
    if (!content.calls.empty() && random_.chance(0.5)) {
      content.calls.back() = invented_call(signer_.self(), content.seq);
      content.batch.calls.back() = content.calls.back()->digest;
    }
  }
}

void Byzantine::bend(pbft::Status& status) {
  if (treachery_.content) status.wants = 0;
  if (treachery_.rushes_views) status.wants = status.view + random_.between(1, 20);
  if (!treachery_.lies_status) return;
  const Seq offset = random_.chance(0.5) ? 1'000'000 : random_.below(300);
  if (random_.chance(0.5)) {
    status.decided += offset;
    status.prepared += offset;
    status.stable += offset;
  } else {
    status.decided = status.prepared = status.stable = status.checkpoint = 0;
  }
}

void Byzantine::bend(pbft::Shown& shown) {
  if (!treachery_.lies_shown) return;
  pbft::Shown nothing{.answers = shown.answers};
  if (random_.chance(0.5)) nothing.stable = std::move(shown.stable);
  shown = std::move(nothing);
}

void Byzantine::add_other_story(NodeId to, const Message& message, std::vector<Utterance>& said) {
  const auto* proposal = std::get_if<PrePrepare>(&message);
  if (!proposal || !treachery_.equivocates || !random_.chance(0.3)) return;
  const Conspiracy::Split* split = conspiracy_.find(proposal->view, proposal->seq);
  if (!split) return;
  PrePrepare other = *proposal;
  if ((split->deceived >> to & 1) == 0) {
    other.batch = split->other;
    other.digest = split->other_digest;
  }
  said.push_back(
      {signed_by_us(std::move(other)), random_.between(Duration(0), Duration(50'000'000))});
}

void Byzantine::add_invented_calls(NodeId, const Message& message, std::vector<Utterance>& said) {
  const auto* proposal = std::get_if<PrePrepare>(&message);
  if (!proposal || !treachery_.invents_calls || proposal->batch.calls.empty()) return;
  const auto n = scenario_.settings.membership.members.size();
  const auto victim = static_cast<NodeId>((signer_.self() + 1) % n);
  const CallPtr call = invented_call(victim, proposal->seq);
  if (proposal->batch.calls.back() != call->digest) return;
  // With a proof of our own, with one that the victim never signed, and as a fetched batch.
  auto proof = std::make_shared<BundleProof>();
  proof->origin = signer_.self();
  proof->incarnation = 1;
  proof->first_number = proposal->seq;
  proof->digests = {call->digest};
  proof->signature = signer_.sign(pbft::bundle_statement(gate_.cluster(), *proof));
  said.push_back({std::make_shared<const Message>(Bundle{proof, {call}}), {}});
  auto stolen = std::make_shared<BundleProof>(*proof);
  stolen->origin = victim;
  said.push_back({std::make_shared<const Message>(Bundle{stolen, {call}}), {}});
  if (proposal->batch.calls.size() == 1) {
    pbft::Batches batches;
    batches.contents.push_back({proposal->seq, proposal->batch, {call}});
    said.push_back({std::make_shared<const Message>(std::move(batches)), {}});
  }
}

void Byzantine::add_replay(std::vector<Utterance>& said) {
  if (!treachery_.replays || old_.empty() || !random_.chance(0.05)) return;
  said.push_back({old_[random_.below(old_.size())], {}});
}

void Byzantine::add_foreign_epoch(const Message& message, std::vector<Utterance>& said) {
  if (!treachery_.foreign_epoch || !random_.chance(0.1)) return;
  Message other = message;
  if (auto* prepare = std::get_if<pbft::Prepare>(&other)) {
    ++prepare->epoch;
  } else if (auto* proposal = std::get_if<PrePrepare>(&other)) {
    ++proposal->epoch;
    ++proposal->batch.timestamp;
    proposal->digest = digest_of(proposal->batch);
  } else if (auto* checkpoint = std::get_if<pbft::Checkpoint>(&other)) {
    ++checkpoint->epoch;
  } else {
    return;
  }
  said.push_back({signed_by_us(std::move(other)), {}});
}

void Byzantine::add_far_view_change(const Message& message, std::vector<Utterance>& said) {
  const auto* status = std::get_if<pbft::Status>(&message);
  if (!status || !treachery_.rushes_views) return;
  ViewChange change{.sender = signer_.self(),
                    .epoch = status->epoch,
                    .view = status->view + random_.between(1, 20)};
  said.push_back({signed_by_us(std::move(change)), {}});
}

/// Large calls and long proofs without end, under a life that has ended: nobody will ever order
/// them.
void Byzantine::add_flood(const Message& message, std::vector<Utterance>& said) {
  constexpr std::size_t kCalls = 64;
  constexpr std::size_t kBytes = 8'000;
  const auto* status = std::get_if<pbft::Status>(&message);
  if (!status || treachery_.origin != Treachery::Origin::kFlood || status->incarnation < 2) return;
  auto proof = std::make_shared<BundleProof>();
  proof->origin = signer_.self();
  proof->incarnation = status->incarnation - 1;
  proof->first_number = 1;
  proof->digests.resize(pbft::kClientWindow);
  Bundle flood;
  const std::uint64_t first = random_.below(pbft::kClientWindow - kCalls);
  for (std::size_t i = first; i < first + kCalls; ++i) {
    Operation operation{.id = {signer_.self(), proof->incarnation, i + 1},
                        .payload = std::to_string(random_.next()) + std::string(kBytes, 'x')};
    flood.calls.push_back(std::make_shared<const Call>(std::move(operation)));
    proof->digests[i] = flood.calls.back()->digest;
  }
  proof->signature = signer_.sign(pbft::bundle_statement(gate_.cluster(), *proof));
  flood.proof = std::move(proof);
  said.push_back({std::make_shared<const Message>(std::move(flood)), {}});
}

}  // namespace zap::simulation
