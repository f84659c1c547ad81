#include "consensus/pbft/statement.h"

#include <catch2/catch.hpp>
#include <set>

#include "consensus/pbft/settings.h"

namespace zap::pbft {
namespace {

const ClusterId kCluster = "c1";
constexpr NodeId kLeader = 1;  // of view 1
constexpr NodeId kBackup = 2;
constexpr View kView = 1;
constexpr NodeId kReceiver = 3;

Digest digest(std::uint64_t number) { return Hasher("test").add(number).finish(); }

struct Fixture {
  Fixture() {
    for (NodeId id = 0; id < 4; ++id) {
      membership.members.push_back({.id = id, .name = "node" + std::to_string(id + 1)});
    }
  }

  Result<std::vector<ToVerify>> check(NodeId from, const Message& message) const {
    return signatures_to_verify(kCluster, leadership, from, kReceiver, message);
  }
  std::size_t signatures(NodeId from, const Message& message) const {
    return check(from, message).value().size();
  }
  std::string error(NodeId from, const Message& message) const {
    return check(from, message).error().message;
  }

  /// Signers 0, 1 and 2: a quorum of four.
  std::vector<Vote> votes() const { return {{0, {}}, {1, {}}, {2, {}}}; }
  Certificate certificate(Seq seq) const { return {0, 0, seq, digest(seq), votes()}; }
  ViewChange view_change(NodeId sender) const {
    return {sender, 0, kView, {0, 128, digest(0), votes()}, {certificate(130), certificate(131)},
            {}};
  }
  NewView new_view() const {
    return {0, kView, {view_change(0), view_change(1), view_change(2)}, {{129, digest(1), {}}}, {}};
  }
  static Bundle bundle() {
    auto proof = std::make_shared<BundleProof>();
    Bundle bundle;
    proof->origin = kBackup;
    proof->incarnation = 7;
    proof->first_number = 10;
    for (std::uint64_t number = 10; number < 13; ++number) {
      bundle.calls.push_back(std::make_shared<const Call>(Operation{.id = {kBackup, 7, number}}));
      proof->digests.push_back(bundle.calls.back()->digest);
    }
    bundle.proof = proof;
    return bundle;
  }

  Membership membership;
  Leadership leadership{&membership, std::nullopt};
};

TEST_CASE_METHOD(Fixture, "statements: whatever differs, differs in what is signed") {
  std::set<Digest> distinct;
  const auto add = [&](const Digest& statement) { CHECK(distinct.insert(statement).second); };
  const Digest d = digest(1);
  add(prepare_statement("c1", 0, 1, 2, d, 3));
  add(prepare_statement("c2", 0, 1, 2, d, 3));
  add(prepare_statement("c1", 9, 1, 2, d, 3));
  add(prepare_statement("c1", 0, 9, 2, d, 3));
  add(prepare_statement("c1", 0, 1, 9, d, 3));
  add(prepare_statement("c1", 0, 1, 2, digest(2), 3));
  add(prepare_statement("c1", 0, 1, 2, d, 9));
  add(pre_prepare_statement("c1", 0, 1, 2, d, 3));
  add(checkpoint_statement("c1", 0, 2, d, 3));
  ViewChange change = view_change(0);
  add(view_change_statement("c1", change));
  change.prepared[1].votes[2].signature.bytes[5] = 1;
  add(view_change_statement("c1", change));
  change.stable.seq = 256;
  add(view_change_statement("c1", change));
  NewView fresh = new_view();
  add(new_view_statement("c1", fresh));
  fresh.reproposals[0].seq = 130;
  add(new_view_statement("c1", fresh));
}

TEST_CASE_METHOD(Fixture, "statements: what is signed is what is checked") {
  const auto round_trip = [&](NodeId sender, Message message) {
    Signature mark;
    for (const ToSign& owed : signatures_to_make(kCluster, sender, message)) {
      mark.bytes.fill(static_cast<std::uint8_t>(owed.statement.bytes[0] | 1));
      *owed.signature = mark;
    }
    CHECK(signatures_to_make(kCluster, sender, message).empty());
    std::size_t ours = 0;
    const auto to_verify = check(sender, message);
    REQUIRE(to_verify);
    for (const ToVerify& each : *to_verify) {
      mark.bytes.fill(static_cast<std::uint8_t>(each.statement.bytes[0] | 1));
      if (each.signer == sender && each.signature == mark) ++ours;
    }
    return ours;
  };
  const Batch batch{5, {digest(1)}};
  CHECK(round_trip(kBackup, bundle()) == 1);
  CHECK(round_trip(kLeader, PrePrepare{0, kView, 9, digest_of(batch), batch, {}}) == 1);
  CHECK(round_trip(kBackup, Prepare{0, kView, 9, digest(1), {}}) == 1);
  CHECK(round_trip(kBackup, Checkpoint{0, 128, digest(1), {}}) == 1);
  CHECK(round_trip(kBackup, view_change(kBackup)) == 1);
  CHECK(round_trip(kLeader, new_view()) == 2);  // itself, and one reproposal
  CHECK(round_trip(kBackup, Commit{0, kView, 9, digest(1)}) == 0);
}

TEST_CASE_METHOD(Fixture, "bundle: the calls are those that the proof names") {
  CHECK(signatures(0, bundle()) == 1);  // forwarded by another
  const auto spoiled = [&](auto spoil) {
    Bundle spoilt = bundle();
    BundleProof proof = *spoilt.proof;
    spoil(spoilt, proof);
    spoilt.proof = std::make_shared<const BundleProof>(proof);
    return error(0, spoilt);
  };
  CHECK_THAT(spoiled([](Bundle&, BundleProof& proof) { proof.digests[1] = digest(1); }),
             Catch::Contains("digest differs"));
  CHECK_THAT(spoiled([](Bundle&, BundleProof& proof) { proof.digests.pop_back(); }),
             Catch::Contains("does not cover"));
  CHECK_THAT(spoiled([](Bundle&, BundleProof& proof) { ++proof.first_number; }),
             Catch::Contains("does not cover"));
  CHECK_THAT(spoiled([](Bundle&, BundleProof& proof) { proof.incarnation = 8; }),
             Catch::Contains("not its own"));
  CHECK_THAT(spoiled([](Bundle&, BundleProof& proof) { proof.origin = 0; }),
             Catch::Contains("not its own"));
  CHECK_THAT(spoiled([](Bundle&, BundleProof& proof) { proof.origin = 8; }),
             Catch::Contains("no member"));
  CHECK_THAT(spoiled([](Bundle& b, BundleProof&) { b.calls.clear(); }),
             Catch::Contains("without calls"));
}

TEST_CASE_METHOD(Fixture, "votes: from whom they may come") {
  const Batch batch{5, {digest(1)}};
  const PrePrepare pre_prepare{0, kView, 9, digest_of(batch), batch, {}};
  CHECK(signatures(kLeader, pre_prepare) == 1);
  CHECK_THAT(error(kBackup, pre_prepare), Catch::Contains("does not lead"));
  PrePrepare other = pre_prepare;
  other.batch.timestamp = 6;
  CHECK_THAT(error(kLeader, other), Catch::Contains("not that of its batch"));
  CHECK_THAT(error(kLeader, Prepare{0, kView, 9, digest(1), {}}), Catch::Contains("leader"));
  CHECK(check(kBackup, Prepare{1, kView, 9, digest(1), {}}).error().code ==
        ErrorCode::kUnavailable);

  const Leadership fixed{&membership, kBackup};
  CHECK(fixed.leader_of(0) == kBackup);
  CHECK(fixed.leader_of(kView) == kBackup);
}

TEST_CASE_METHOD(Fixture, "certificates: a quorum of distinct members, the leader among them") {
  StableCheckpoint stable{0, 128, digest(0), votes()};
  CHECK(signatures(kBackup, stable) == 3);
  stable.votes.pop_back();
  CHECK_THAT(error(kBackup, stable), Catch::Contains("2 signers; a quorum is 3"));
  stable.votes.push_back({0, {}});
  CHECK_THAT(error(kBackup, stable), Catch::Contains("node1 twice"));
  stable.votes.back().signer = 17;
  CHECK_THAT(error(kBackup, stable), Catch::Contains("no member"));
  CHECK(signatures(kBackup, StableCheckpoint{}) == 0);

  ViewChange change = view_change(kBackup);
  CHECK(signatures(kBackup, change) == 3 + 2 * 3 + 1);
  change.prepared[0].votes[0].signer = 3;  // node 0 leads view 0
  CHECK_THAT(error(kBackup, change), Catch::Contains("without the pre-prepare"));
}

TEST_CASE_METHOD(Fixture,
                 "view change: certificates in order, above the checkpoint, of older views") {
  const auto spoiled = [&](auto spoil) {
    ViewChange change = view_change(kBackup);
    spoil(change);
    return error(kBackup, change);
  };
  CHECK_THAT(spoiled([](ViewChange& c) { std::swap(c.prepared[0], c.prepared[1]); }),
             Catch::Contains("out of order"));
  CHECK_THAT(spoiled([](ViewChange& c) { c.prepared[0].seq = 128; }),
             Catch::Contains("out of order"));
  CHECK_THAT(spoiled([](ViewChange& c) { c.prepared[1].seq = 128 + kWindow + 1; }),
             Catch::Contains("outside"));
  CHECK_THAT(spoiled([](ViewChange& c) { c.prepared[1].view = kView; }),
             Catch::Contains("certificate of view 1"));
  CHECK_THAT(spoiled([](ViewChange& c) { c.sender = 9; }), Catch::Contains("no member"));
}

TEST_CASE_METHOD(Fixture, "new view: a quorum of view changes to it, reproposals in order") {
  CHECK(signatures(kLeader, new_view()) == 3 * 10 + 1 + 1);
  NewView message = new_view();
  message.view_changes[2].sender = 0;
  CHECK_THAT(error(kLeader, message), Catch::Contains("twice"));
  message = new_view();
  message.view_changes[1].view = 2;
  CHECK_THAT(error(kLeader, message), Catch::Contains("view change to view 2"));
  message = new_view();
  message.reproposals.push_back(message.reproposals[0]);
  CHECK_THAT(error(kLeader, message), Catch::Contains("out of order"));
}

TEST_CASE_METHOD(Fixture, "shown: messages of the receiver itself, and of nobody else") {
  Shown shown;
  shown.prepares.push_back({0, kView, 9, digest(1), {}});
  shown.view_changes.push_back(view_change(kReceiver));
  const auto to_verify = check(kBackup, shown);
  REQUIRE(to_verify);
  CHECK(to_verify->front().signer == kReceiver);
  shown.view_changes[0].sender = kBackup;
  CHECK_THAT(error(kBackup, shown), Catch::Contains("shown to another"));
}

}  // namespace
}  // namespace zap::pbft
