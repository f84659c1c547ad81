#include "store/log.h"

#include <chrono>
#include <thread>

#include "store/segment.h"
#include "tests/unit/store/harness.h"

namespace zap::store {
namespace {

std::vector<LogRecord> bare(const Result<std::vector<StoredRecord>>& found) {
  if (!found) FAIL(found.error().message);
  std::vector<LogRecord> some;
  for (const StoredRecord& stored : *found) some.push_back(stored.record);
  return some;
}

TEST_CASE("log: what was appended and synced is read at the next start, in order") {
  NodeFolder node;
  {
    RunningLog running(node.path());
    CHECK(running.read.empty());
    running.append(records(1, 3));
    running.append({record(4, 100'000), {7, 0, Bytes()}});
    REQUIRE(running.sync());
  }
  const Reading reading = read_log(node.path());
  std::vector<LogRecord> expected = records(1, 3);
  expected.push_back(record(4, 100'000));
  expected.push_back({7, 0, Bytes()});
  CHECK(reading.records == expected);
}

TEST_CASE("log: a hundred appends and one sync are one transaction and one sync") {
  NodeFolder node;
  RunningLog running(node.path(), {.interval = std::chrono::hours(1)});
  const std::uint64_t syncs_before = running.log->counters().syncs;
  for (std::uint64_t i = 1; i <= 100; ++i) running.append({record(i)});
  REQUIRE(running.sync());
  CHECK(running.log->counters().records == 100);
  CHECK(running.log->counters().commits == 1);
  CHECK(running.log->counters().syncs - syncs_before == 1);
}

TEST_CASE("log: what nobody waits for is written after the interval") {
  NodeFolder node;
  {
    RunningLog running(node.path(), {.interval = std::chrono::milliseconds(5)});
    running.append(records(1, 2));
    while (running.log->counters().mark_writes == 0) std::this_thread::yield();
    CHECK(running.log->counters().commits == 1);
  }
  CHECK(read_log(node.path()).records == records(1, 2));
}

TEST_CASE("log: read() sees what is written and what is still queued") {
  NodeFolder node;
  RunningLog running(node.path(), {.interval = std::chrono::hours(1)});
  running.append(records(1, 5));
  REQUIRE(running.sync());
  running.append(records(6, 8));
  CHECK(bare(running.log->read({})) == records(1, 8));
  CHECK(bare(running.log->read({.from = 4})) == records(4, 8));
  CHECK(bare(running.log->read({.first_seq = 3, .last_seq = 7})) == records(3, 7));
  CHECK(bare(running.log->read({.kinds = 1U << 2})).empty());
  CHECK(bare(running.log->read({.max_bytes = 45})) == records(1, 2));
  CHECK(bare(running.log->read({.max_bytes = 1})) == records(1, 1));
  CHECK(bare(running.log->read({.from = 9})).empty());
}

TEST_CASE("log: read() by kind and slot, over many segments") {
  NodeFolder node;
  RunningLog running(node.path(), {.max_segment_bytes = 30'000});
  std::vector<LogRecord> expected;
  for (std::uint64_t slot = 1; slot <= 1000; ++slot) {
    running.append({record(slot, 50, 0), record(slot, 60, 2)});
    if (slot >= 700 && slot <= 720) expected.push_back(record(slot, 60, 2));
    if (slot % 50 == 0) REQUIRE(running.sync());
  }
  CHECK(running.log->counters().segments > 3);
  CHECK(bare(running.log->read({.first_seq = 700, .last_seq = 720, .kinds = 1U << 2})) == expected);
  CHECK(bare(running.log->read({.first_seq = 1001})).empty());
}

TEST_CASE("log: segments follow one another; the chain goes on across them and across starts") {
  NodeFolder node;
  LogOptions options{.max_segment_bytes = 40'000};
  for (std::uint64_t start = 0; start < 3; ++start) {
    RunningLog running(node.path(), options);
    CHECK(running.read == records(1, start * 100, 500));
    for (std::uint64_t i = 1; i <= 100; i += 10) {
      running.append(records(start * 100 + i, start * 100 + i + 9, 500));
      REQUIRE(running.sync());
    }
    if (start == 1) REQUIRE(running.log->close());
  }
  CHECK(read_log(node.path()).records == records(1, 300, 500));
  CHECK(list_segments(node.path())->size() >= 6);
}

TEST_CASE("log: a start rewrites the tail; all of it is there once") {
  NodeFolder node;
  {
    RunningLog running(node.path(), {.max_segment_bytes = 40'000});
    for (std::uint64_t i = 1; i <= 200; i += 10) {
      running.append(records(i, i + 9, 500));
      REQUIRE(running.sync());
    }
  }
  REQUIRE(list_segments(node.path())->size() > 2);
  for (const Position rewrite_from : {Position{42}, Position{42}, Position{1}}) {
    RunningLog running(node.path(), {}, rewrite_from);
    CHECK(running.read == records(1, 200, 500));
    CHECK(list_segments(node.path())->back() == rewrite_from);
    CHECK(bare(running.log->read({})) == records(1, 200, 500));
  }
  CHECK(list_segments(node.path())->size() == 1);
  CHECK(read_log(node.path()).records == records(1, 200, 500));
}

TEST_CASE("log: a rewritten tail outlives the loss of what it copied") {
  NodeFolder node;
  {
    RunningLog running(node.path());
    running.append(records(1, 60));
    REQUIRE(running.sync());
  }
  RunningLog(node.path(), {}, 31).append({});
  // The first segment, as if its last pages had been in the page cache only.
  std::filesystem::remove(node.path() / segment_name(1));
  REQUIRE(SegmentWriter::create(node.path(), {kCluster, 1, Digest{}}, SyncMode::kAlways,
                                [](SegmentWriter& segment) -> Result<void> {
                                  ChainedRecord chained{1, Digest{}, record(1)};
                                  for (Position next = 2; next <= 46; ++next) {
                                    Result<void> inserted = segment.insert(chained);
                                    if (!inserted) return inserted;
                                    chained = {next, hash_of(chained), record(next)};
                                  }
                                  return {};
                                }));
  CHECK(read_log(node.path()).records == records(1, 60));
}

TEST_CASE("log: one process at a time") {
  NodeFolder node;
  const RunningLog running(node.path());
  const Reading second = read_log(node.path());
  REQUIRE(!second.log);
  CHECK(second.log.error().code == ErrorCode::kUnavailable);
}

TEST_CASE("log: another cluster's log is refused") {
  TemporaryFolder folder;
  REQUIRE(create_zero_mark(folder.path(), "another"));
  const Reading reading = read_log(folder.path());
  REQUIRE(!reading.log);
  CHECK(reading.log.error().code == ErrorCode::kInvalid);
}

TEST_CASE("log: an error of the visitor ends the reading and is the answer") {
  NodeFolder node;
  {
    RunningLog running(node.path());
    running.append(records(1, 3));
    REQUIRE(running.sync());
  }
  int seen = 0;
  const auto log = Log::open(node.path(), {.cluster = kCluster},
                             [&](const StoredRecord& stored) -> Result<void> {
                               ++seen;
                               if (stored.position < 2) return {};
                               return Error{ErrorCode::kInvalid, "not this one"};
                             });
  REQUIRE(!log);
  CHECK(log.error().message == "not this one");
  CHECK(seen == 2);
}

TEST_CASE("log: under batch one sync serves many groups") {
  NodeFolder node;
  LogOptions options{.sync_mode = SyncMode::kBatch, .interval = std::chrono::hours(1)};
  RunningLog running(node.path(), options);
  const std::uint64_t syncs_before = running.log->counters().syncs;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    running.append({record(i)});
    REQUIRE(running.sync());
  }
  CHECK(running.log->counters().commits == 20);
  CHECK(running.log->counters().syncs == syncs_before);
  REQUIRE(running.log->close());
  CHECK(running.log->counters().syncs == syncs_before + 1);
}

}  // namespace
}  // namespace zap::store
