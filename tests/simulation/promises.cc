#include "tests/simulation/promises.h"

#include <bit>
#include <cstring>
#include <set>
#include <sstream>

#include "tests/simulation/new_view_reference.h"
#include "tests/simulation/random.h"
#include "tests/support/describe.h"

namespace zap::simulation {

using test::describe;

namespace {

std::uint64_t key_of(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  return scrambled(scrambled(scrambled(a) + b) + c);
}

std::uint64_t word_of(const Digest& digest) {
  std::uint64_t word;
  std::memcpy(&word, digest.bytes.data(), sizeof word);
  return word;
}

/// A signature stands for the statement below it.
Digest value_of(const Signature& signature) {
  Digest value;
  std::memcpy(value.bytes.data(), signature.bytes.data(), value.bytes.size());
  return value;
}

std::size_t distinct(const std::vector<pbft::Vote>& votes) {
  std::set<NodeId> signers;
  for (const pbft::Vote& vote : votes) signers.insert(vote.signer);
  return signers.size();
}

}  // namespace

Promises::Promises(const Scenario& scenario, const Gate& gate, Verdict& verdict)
    : gate_(gate),
      verdict_(verdict),
      quorum_(scenario.settings.membership.quorum()),
      nodes_(scenario.settings.membership.members.size()) {}

void Promises::fail(NodeId node, const std::string& what) {
  verdict_.fail("node " + std::to_string(node) + ": " + what);
}

void Promises::vote(NodeId node, Phase phase, View view, Seq seq, const Digest& value) {
  Node& speaker = nodes_[node];
  const std::uint64_t key = key_of(static_cast<std::uint64_t>(phase), view, seq);
  const auto [said, is_new] = speaker.votes.emplace(key, value);
  static constexpr const char* kPhases[] = {"PRE-PREPARE", "PREPARE",     "COMMIT",
                                            "CHECKPOINT",  "VIEW-CHANGE", "NEW-VIEW"};
  std::ostringstream what;
  what << kPhases[static_cast<std::size_t>(phase)] << " v" << view << " s" << seq << " "
       << describe(value);
  if (!is_new && said->second != value) {
    fail(node, "SAYS TWO THINGS: " + what.str() + " after " + describe(said->second));
  }
  if (is_new && phase != Phase::kCheckpoint && view < speaker.left) {
    fail(node, "votes in a view that it has left for view " + std::to_string(speaker.left) + ": " +
                   what.str());
  }
}

void Promises::rests_on(NodeId node, const Message& message, const Disk& disk, Disk::Basis basis,
                        View view, Seq seq, const Digest& digest) {
  if (!disk.holds(basis, view, seq, digest)) {
    fail(node, "SPEAKS BEFORE ITS DISK: " + describe(message));
  }
}

void Promises::in_window(NodeId node, Seq seq, const EngineState& state) {
  if (seq > state.stable + pbft::kWindow) {
    fail(node, "votes for slot " + std::to_string(seq) + ", above its window from " +
                   std::to_string(state.stable));
  }
}

void Promises::said(NodeId node, const Message& message, const Disk& disk,
                    const EngineState& state) {
  const auto rests = [&](Disk::Basis basis, View view, Seq seq, const Digest& digest) {
    rests_on(node, message, disk, basis, view, seq, digest);
    if (view > 0 && basis != Disk::Basis::kViewChange && basis != Disk::Basis::kDecided) {
      rests_on(node, message, disk, Disk::Basis::kNewView, view, 0, Digest{});
    }
  };
  if (const auto* proposal = std::get_if<pbft::PrePrepare>(&message)) {
    vote(node, Phase::kPrePrepare, proposal->view, proposal->seq, proposal->digest);
    rests(Disk::Basis::kAccepted, proposal->view, proposal->seq, proposal->digest);
    in_window(node, proposal->seq, state);
  } else if (const auto* prepare = std::get_if<pbft::Prepare>(&message)) {
    vote(node, Phase::kPrepare, prepare->view, prepare->seq, prepare->digest);
    rests(Disk::Basis::kAccepted, prepare->view, prepare->seq, prepare->digest);
    in_window(node, prepare->seq, state);
  } else if (const auto* commit = std::get_if<pbft::Commit>(&message)) {
    vote(node, Phase::kCommit, commit->view, commit->seq, commit->digest);
    rests(Disk::Basis::kPrepared, commit->view, commit->seq, commit->digest);
    const std::uint64_t batch = key_of(commit->seq, word_of(commit->digest), 0);
    std::uint32_t& who = commits_[key_of(batch, commit->view, 1)];
    who |= 1u << node;
    std::uint32_t& most = most_[batch];
    most = std::max(most, static_cast<std::uint32_t>(std::popcount(who)));
  } else if (const auto* checkpoint = std::get_if<pbft::Checkpoint>(&message)) {
    vote(node, Phase::kCheckpoint, 0, checkpoint->seq, checkpoint->digest);
    rests(Disk::Basis::kDecided, 0, checkpoint->seq, Digest{});
    const Digest& known = checkpoints_.emplace(checkpoint->seq, checkpoint->digest).first->second;
    if (known != checkpoint->digest) {
      fail(node, "AGREEMENT: another digest of checkpoint " + std::to_string(checkpoint->seq) +
                     " than elsewhere");
    }
  } else if (const auto* change = std::get_if<pbft::ViewChange>(&message)) {
    vote(node, Phase::kViewChange, change->view, 0, value_of(change->signature));
    rests(Disk::Basis::kViewChange, change->view, 0, Digest{});
    nodes_[node].left = std::max(nodes_[node].left, change->view);
  } else if (const auto* view = std::get_if<pbft::NewView>(&message)) {
    // Anyone may pass it on; who leads the view signs it, so answers for it.
    if (gate_.leader_of(view->view) != node) return;
    rests(Disk::Basis::kNewView, view->view, 0, Digest{});
    vote(node, Phase::kNewView, view->view, 0, value_of(view->signature));
    for (const pbft::Reproposal& entry : view->reproposals) {
      vote(node, Phase::kPrePrepare, view->view, entry.seq, entry.digest);
    }
  }
}

void Promises::wrote(NodeId node, const pbft::Record& record) {
  if (const auto* stable = std::get_if<pbft::StableCheckpoint>(&record)) {
    bool proves = stable->seq == 0 || distinct(stable->votes) >= quorum_.size();
    for (const pbft::Vote& vote : stable->votes) {
      const Digest statement = pbft::checkpoint_statement(gate_.cluster(), stable->epoch,
                                                          stable->seq, stable->digest, vote.signer);
      proves = proves && gate_.verify(vote.signer, statement, vote.signature);
    }
    if (!proves) {
      fail(node,
           "keeps a proof of checkpoint " + std::to_string(stable->seq) + " that proves nothing");
    }
    nodes_[node].stable = std::max(nodes_[node].stable, stable->seq);
  } else if (const auto* prepared = std::get_if<pbft::Certificate>(&record)) {
    if (distinct(prepared->votes) < quorum_.size()) {
      fail(node, "takes slot " + std::to_string(prepared->seq) + " for prepared with " +
                     std::to_string(distinct(prepared->votes)) + " votes");
    }
  } else if (const auto* view = std::get_if<pbft::NewView>(&record)) {
    std::set<NodeId> senders;
    for (const pbft::ViewChange& change : view->view_changes) senders.insert(change.sender);
    if (senders.size() < quorum_.size()) {
      fail(node, "enters view " + std::to_string(view->view) + " with " +
                     std::to_string(senders.size()) + " VIEW-CHANGEs");
    }
    std::map<Seq, Digest> order;
    for (const pbft::Reproposal& entry : view->reproposals) order[entry.seq] = entry.digest;
    if (order != reference_new_view(view->view_changes).order ||
        order.size() != view->reproposals.size()) {
      fail(node, "enters view " + std::to_string(view->view) +
                     " with another O than V gives (OSDI'99, 4.4)");
    }
  }
}

void Promises::stands(NodeId node, const EngineState& state) {
  Node& one = nodes_[node];
  if (state.view < one.view) {
    fail(node,
         "goes back from view " + std::to_string(one.view) + " to " + std::to_string(state.view));
  }
  one.view = state.view;
  if (state.stable > one.stable) {
    fail(node, "moves its window to " + std::to_string(state.stable) + " without a proof");
  }
}

void Promises::restarted(NodeId node, const Disk& disk) {
  Node& one = nodes_[node];
  one.view = 0;
  one.stable = 0;
  for (const pbft::Record& record : disk.records()) {
    if (const auto* stable = std::get_if<pbft::StableCheckpoint>(&record)) {
      one.stable = std::max(one.stable, stable->seq);
    }
  }
}

std::uint32_t Promises::committers(Seq seq, const Digest& digest) const {
  const auto found = most_.find(key_of(seq, word_of(digest), 0));
  return found == most_.end() ? 0 : found->second;
}

}  // namespace zap::simulation
