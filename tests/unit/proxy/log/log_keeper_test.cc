#include "proxy/log/log_keeper.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "consensus/ledger.h"
#include "core/limits.h"
#include "store/segment.h"
#include "store/vote_mark.h"

namespace zap {
namespace {

using namespace pbft;

const ClusterId kCluster = "7f3a9c";

/// What a replica would write of slots 1, 2, ..., each with one call.
class History {
 public:
  BatchContent content(Seq seq) const {
    Operation operation{.id = {.origin = 1, .incarnation = 1, .number = seq},
                        .deadline = 1'000'000,
                        .listener = "orders",
                        .method = "POST /orders",
                        .payload = Bytes("payload of slot " + std::to_string(seq))};
    const auto call = std::make_shared<const Call>(std::move(operation));
    return {.seq = seq,
            .batch = {.timestamp = static_cast<WallTime>(seq), .calls = {call->digest}},
            .calls = {call}};
  }
  Accepted accepted(Seq seq, View view = 0) const {
    BatchContent batch = content(seq);
    const Digest digest = digest_of(batch.batch);
    return {.view = view, .digest = digest, .content = std::move(batch)};
  }
  Certificate prepared(Seq seq) const {
    return {.seq = seq, .digest = accepted(seq).digest, .votes = {{.signer = 1}}};
  }
  /// In order of slots, each once.
  Decided decided(Seq seq, bool with_calls = false) {
    BatchContent batch = content(seq);
    const Decision decision = ledger_.execute(seq, 0, batch.batch.timestamp, batch.calls);
    const Digest digest = digest_of(batch.batch);
    if (!with_calls) batch.calls.clear();
    return {.digest = digest,
            .content = std::move(batch),
            .timestamp = decision.timestamp,
            .last_index = ledger_.last_index(),
            .chain = ledger_.chain()};
  }
  /// Accepted, prepared and decided.
  std::vector<Record> slots(Seq first, Seq last) {
    std::vector<Record> records;
    for (Seq seq = first; seq <= last; ++seq) {
      records.emplace_back(accepted(seq));
      records.emplace_back(prepared(seq));
      records.emplace_back(decided(seq));
    }
    return records;
  }
  const Ledger& ledger() const { return ledger_; }

 private:
  Ledger ledger_{kCluster};
};

class Fixture {
 public:
  Fixture() {
    std::string name = (std::filesystem::temp_directory_path() / "zap-keeper-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
    REQUIRE(store::create_zero_mark(folder_, kCluster));
  }
  ~Fixture() {
    keeper.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  pbft::Restored open() {
    keeper.reset();
    durable_ = 0;
    Result<std::unique_ptr<LogKeeper>> opened =
        LogKeeper::open(loop_, folder_, {.cluster = kCluster},
                        {.durable =
                             [this](LogPosition position) {
                               durable_ = position;
                               loop_.stop();
                             },
                         .failed = [](const Error& error) { FAIL(error.message); }});
    if (!opened) FAIL(opened.error().message);
    keeper = std::move(*opened);
    return keeper->take_restored();
  }

  /// Appends, and waits until the driver would hear that all of it is durable.
  void write(const std::vector<Record>& records) {
    keeper->append(records);
    const LogPosition until = keeper->appended();
    keeper->sync();
    while (durable_ < until) loop_.run();
    CHECK(durable_ == until);
  }

  Result<Message> serve(Seq first, Seq last, Serve::What what) {
    std::optional<Result<Message>> answer;
    keeper->serve({.to = 2, .first = first, .last = last, .what = what},
                  [&](Result<Message> message) {
                    answer = std::move(message);
                    loop_.stop();
                  });
    while (!answer) loop_.run();
    return *answer;
  }

  std::vector<Index> read_indexes(Index first, std::size_t bytes) {
    std::optional<std::vector<Index>> indexes;
    keeper->read_decisions(first, bytes, [&](Result<std::vector<Decision>> decisions) {
      if (!decisions) FAIL(decisions.error().message);
      indexes.emplace();
      for (const Decision& decision : *decisions) {
        for (const DecidedCall& call : decision.calls) indexes->push_back(call.index);
      }
      loop_.stop();
    });
    while (!indexes) loop_.run();
    return *indexes;
  }

  std::unique_ptr<LogKeeper> keeper;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  EventLoop loop_;
  std::filesystem::path folder_;
  LogPosition durable_ = 0;
};

std::vector<Index> range(Index first, Index last) {
  std::vector<Index> indexes;
  for (; first <= last; ++first) indexes.push_back(first);
  return indexes;
}

TEST_CASE("log keeper: a replica starts with what the one before it wrote") {
  Fixture fixture;
  History history;
  CHECK(fixture.open().ledger.last_seq() == 0);
  fixture.write(history.slots(1, 5));
  fixture.write({history.accepted(6, 3)});

  const pbft::Restored restored = fixture.open();
  CHECK(restored.incarnation == 2);
  CHECK(restored.ledger.chain() == history.ledger().chain());
  CHECK(restored.ledger.last_index() == 5);
  CHECK(restored.accepted.at(6).view == 3);
  CHECK(restored.prepared.size() == 5);
  CHECK(!restored.lost_vote);
}

TEST_CASE("log keeper: peers are told the digests and contents of decided slots") {
  Fixture fixture;
  History history;
  fixture.open();
  fixture.write(history.slots(1, 4));
  fixture.write({history.decided(5, /*with_calls=*/true), history.accepted(6)});

  const Result<Message> digests = fixture.serve(2, 900, Serve::What::kDigests);
  REQUIRE(digests);
  const auto& told = std::get<DecidedDigests>(*digests);
  CHECK(told.first == 2);
  REQUIRE(told.digests.size() == 4);
  CHECK(told.digests[3] == history.accepted(5).digest);

  const Result<Message> contents = fixture.serve(4, 6, Serve::What::kContents);
  REQUIRE(contents);
  const auto& batches = std::get<Batches>(*contents);
  REQUIRE(batches.contents.size() == 2);
  for (const BatchContent& content : batches.contents) {
    CHECK(content.batch == history.content(content.seq).batch);
    REQUIRE(content.calls.size() == 1);
    CHECK(content.calls[0]->operation == history.content(content.seq).calls[0]->operation);
  }

  const Result<Message> none = fixture.serve(6, 9, Serve::What::kDigests);
  REQUIRE(!none);
  CHECK(none.error().code == ErrorCode::kNotFound);
}

TEST_CASE("log keeper: one peer's reads do not stand in the way of the application's") {
  Fixture fixture;
  History history;
  fixture.open();
  fixture.write(history.slots(1, 40));
  std::size_t answers = 0;
  for (Seq seq = 1; seq <= 40; ++seq) {
    fixture.keeper->serve({.to = 2, .first = seq, .last = seq, .what = Serve::What::kContents},
                          [&](const Result<Message>&) { ++answers; });
  }
  CHECK(fixture.read_indexes(1, 1'000'000) == range(1, 40));  // waits behind the others
  CHECK(answers == limits::kLogReadsPerPeer);
  CHECK(fixture.serve(1, 1, Serve::What::kContents));
}

TEST_CASE("log keeper: the content served is the decided one, not another accepted there") {
  Fixture fixture;
  History history;
  fixture.open();
  Accepted other = history.accepted(2);  // a batch for another slot, accepted in slot 1 first
  other.content.seq = 1;
  fixture.write({other, history.accepted(1, 1), history.decided(1)});
  const Result<Message> contents = fixture.serve(1, 1, Serve::What::kContents);
  REQUIRE(contents);
  const auto& batches = std::get<Batches>(*contents);
  REQUIRE(batches.contents.size() == 1);
  CHECK(batches.contents[0].batch == history.content(1).batch);
}

TEST_CASE("log keeper: applications read decisions back, in pieces, several at once") {
  Fixture fixture;
  History history;
  fixture.open();
  fixture.write(history.slots(1, 40));
  CHECK(fixture.read_indexes(1, 1'000'000) == range(1, 40));
  CHECK(fixture.read_indexes(41, 1'000'000).empty());
  CHECK(fixture.read_indexes(7, 1) == range(7, 7));
  CHECK(fixture.read_indexes(8, 1) == range(8, 8));
  CHECK(fixture.read_indexes(3, 1'000'000) == range(3, 40));

  fixture.keeper->append(history.slots(41, 42));  // not durable yet
  CHECK(fixture.read_indexes(41, 1'000'000) == range(41, 42));
  CHECK(fixture.read_indexes(9, 1'000'000) == range(9, 42));
}

TEST_CASE("log keeper: what lies above the stable checkpoint is written again at a start") {
  Fixture fixture;
  History history;
  fixture.open();
  fixture.write(history.slots(1, 130));
  fixture.write({StableCheckpoint{.seq = 128, .digest = {}, .votes = {{.signer = 1}}}});
  fixture.open();
  // Slot 129 was first written as record 3 * 128 + 1.
  CHECK(store::list_segments(fixture.folder())->back() == 385);
  CHECK(fixture.read_indexes(1, 1'000'000) == range(1, 130));
}

TEST_CASE("log keeper: the newest view goes with it, however old, and no vote leaves before it") {
  Fixture fixture;
  History history;
  fixture.open();
  fixture.write({ViewChange{.sender = 1, .view = 4}});
  fixture.write(history.slots(1, 130));
  fixture.write({StableCheckpoint{.seq = 128, .digest = {}, .votes = {{.signer = 1}}}});

  const pbft::Restored restored = fixture.open();
  CHECK(restored.view == 4);
  CHECK(!restored.active);
  CHECK(fixture.keeper->appended() == 1);  // what the driver waits for before its first vote
  fixture.write({history.accepted(131, 4)});
  CHECK(fixture.keeper->appended() == 2);

  const pbft::Restored again = fixture.open();
  CHECK(again.view == 4);
  CHECK(!again.active);
  CHECK(again.ledger.last_seq() == 130);
  CHECK(again.accepted.at(131).view == 4);
}

TEST_CASE("log keeper: a log that lost its tail says where the last vote was") {
  Fixture fixture;
  History history;
  fixture.open();
  fixture.write(history.slots(1, 3));
  fixture.write({history.accepted(4, 2)});
  REQUIRE(fixture.keeper->close());
  fixture.keeper.reset();
  std::filesystem::remove(fixture.folder() / store::segment_name(1));

  const pbft::Restored restored = fixture.open();
  REQUIRE(restored.lost_vote);
  CHECK(restored.lost_vote->view == 2);
  CHECK(restored.lost_vote->seq == 4);

  REQUIRE(fixture.open().lost_vote);
  fixture.keeper->votes_again();
  REQUIRE(fixture.keeper->close());
  CHECK(!fixture.open().lost_vote);
}

}  // namespace
}  // namespace zap
