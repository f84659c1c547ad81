#include "store/vote_mark.h"

#include <rapidcheck.h>

#include "tests/unit/store/harness.h"

namespace zap::store {
namespace {

constexpr std::size_t kSlotStride = 4096;
constexpr std::size_t kSlotBytes = 156;

Mark some_mark(std::uint64_t number) {
  Mark mark{.cluster = cluster_digest(kCluster), .position = number};
  mark.chain.bytes.fill(static_cast<std::uint8_t>(number));
  mark.incarnation = 3;
  mark.vote = {number / 2, number * 3};
  mark.boot_id = "c0ffee00-1111-2222-3333-444444444444";
  mark.sync_mode = SyncMode::kBatch;
  mark.clean = false;
  mark.lost = number % 2 == 0;
  return mark;
}

Mark read_back(const TemporaryFolder& folder) {
  const Result<MarkFile> file = MarkFile::open(folder.path());
  if (!file) FAIL(file.error().message);
  return file->mark();
}

TEST_CASE("mark: the zero mark is of a node that never ran") {
  NodeFolder node;
  CHECK(read_back(node) == Mark{.cluster = cluster_digest(kCluster)});
}

TEST_CASE("mark: a zero mark is never laid over a log or a mark") {
  NodeFolder node;
  const Result<void> again = create_zero_mark(node.path(), kCluster);
  REQUIRE(!again);
  CHECK(again.error().code == ErrorCode::kInvalid);

  std::filesystem::remove(node.path() / "vote_mark");
  write_bytes(node.path() / "segment-00000000000000000001.db", "");
  CHECK(!create_zero_mark(node.path(), kCluster));
}

TEST_CASE("mark: what was written last is read") {
  NodeFolder node;
  for (std::uint64_t number = 1; number <= 5; ++number) {
    {
      Result<MarkFile> file = MarkFile::open(node.path());
      REQUIRE(file);
      REQUIRE(file->write(some_mark(number)));
    }
    CHECK(read_back(node) == some_mark(number));
  }
}

TEST_CASE("mark: without a mark the error names the ways out") {
  TemporaryFolder folder;
  const Result<MarkFile> file = MarkFile::open(folder.path());
  REQUIRE(!file);
  CHECK(file.error().code == ErrorCode::kNotFound);
  CHECK(file.error().message.find("members replace") != std::string::npos);
  CHECK(file.error().message.find("run --new") != std::string::npos);
}

TEST_CASE("mark: a torn write leaves the mark before it") {
  NodeFolder node;
  {
    Result<MarkFile> file = MarkFile::open(node.path());
    REQUIRE(file);
    REQUIRE(file->write(some_mark(7)));
    REQUIRE(file->write(some_mark(8)));
  }
  const std::string whole = read_bytes(node.path() / "vote_mark");
  std::string torn = whole;
  torn.replace(kSlotStride + 60, 40, std::string(40, '?'));  // generation 3: the second slot
  write_bytes(node.path() / "vote_mark", torn);
  CHECK(read_back(node) == some_mark(7));

  torn.replace(60, 40, std::string(40, '?'));
  write_bytes(node.path() / "vote_mark", torn);
  const Result<MarkFile> file = MarkFile::open(node.path());
  REQUIRE(!file);
  CHECK(file.error().code == ErrorCode::kCorrupt);
  CHECK(file.error().message.find("members replace") != std::string::npos);
}

TEST_CASE("mark: property: with one slot damaged anyhow, the mark is one of the last two") {
  NodeFolder node;
  const bool holds = rc::check([&](std::uint8_t writes, bool second_slot) {
    std::uint64_t number = 0;
    {
      Result<MarkFile> file = MarkFile::open(node.path());
      RC_ASSERT(file.ok());
      RC_ASSERT(file->write_both(some_mark(0)).ok());
      for (; number < writes % 8; ++number) {
        RC_ASSERT(file->write(some_mark(number + 1)).ok());
      }
    }
    std::string bytes = read_bytes(node.path() / "vote_mark");
    const std::size_t start = second_slot ? kSlotStride : 0;
    const std::size_t size = *rc::gen::inRange<std::size_t>(1, kSlotBytes + 1);
    const std::size_t offset = *rc::gen::inRange<std::size_t>(0, kSlotBytes + 1 - size);
    for (std::size_t i = 0; i < size; ++i) {
      const char flip = *rc::gen::inRange<char>(1, 127);
      bytes[start + offset + i] = static_cast<char>(bytes[start + offset + i] ^ flip);
    }
    write_bytes(node.path() / "vote_mark", bytes);
    const Mark found = read_back(node);
    RC_ASSERT(found == some_mark(number) || found == some_mark(number == 0 ? 0 : number - 1));
    // Written again, both slots are whole again.
    Result<MarkFile> file = MarkFile::open(node.path());
    RC_ASSERT(file->write_both(some_mark(0)).ok());
  });
  CHECK(holds);
}

TEST_CASE("mark: incarnations rise at every open, whatever happened before") {
  NodeFolder node;
  for (Incarnation expected = 1; expected <= 3; ++expected) {
    const Reading reading = read_log(node.path());
    REQUIRE(reading.log);
    CHECK((*reading.log)->incarnation() == expected);
  }
}

// ---------------------------------------------------------------- amnesia

void write_log(const NodeFolder& node, const LogOptions& options, bool clean) {
  RunningLog running(node.path(), options);
  running.append(records(1, 10), {.view = 2, .seq = 9});
  REQUIRE(running.sync());
  if (clean) {
    REQUIRE(running.log->close());
  } else {
    while (running.log->counters().mark_writes == 0) ::usleep(1000);
  }
}

void remove_log(const NodeFolder& node) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(node.path() /
                            ("segment-00000000000000000001.db" + std::string(suffix)));
  }
}

TEST_CASE("amnesia: a log shorter than its mark is told, again and again until it is forgiven") {
  NodeFolder node;
  write_log(node, {}, GENERATE(false, true));
  {
    const Reading whole = read_log(node.path());
    REQUIRE(whole.log);
    CHECK(!(*whole.log)->lost());
  }
  remove_log(node);
  for (int start = 0; start < 2; ++start) {
    RunningLog running(node.path());
    CHECK(running.read.size() == static_cast<std::size_t>(start));
    REQUIRE(running.log->lost());
    CHECK(*running.log->lost() == Vote{2, 9});
    running.append({record(1)});
    REQUIRE(running.sync());
    if (start == 1) running.log->forgive_loss();
    REQUIRE(running.log->close());
  }
  const Reading forgiven = read_log(node.path());
  REQUIRE(forgiven.log);
  CHECK(!(*forgiven.log)->lost());
}

TEST_CASE("amnesia: a loss that a peer showed is told at the next open, whatever the log says") {
  NodeFolder node;
  {
    RunningLog running(node.path());
    running.append({record(1)});
    REQUIRE(running.sync());
    running.log->admit_loss({.view = 7, .seq = 0});
    REQUIRE(running.log->close());
  }
  const Reading reading = read_log(node.path());
  REQUIRE(reading.log);
  REQUIRE((*reading.log)->lost());
  CHECK((*reading.log)->lost()->view == 7);
}

TEST_CASE("amnesia: a new boot without a clean stop, unless every group was synced") {
  const SyncMode mode = GENERATE(SyncMode::kAlways, SyncMode::kBatch, SyncMode::kNever);
  const bool clean = GENERATE(false, true);
  const bool rebooted = GENERATE(false, true);
  CAPTURE(static_cast<int>(mode), clean, rebooted);
  NodeFolder node;
  LogOptions options{.sync_mode = mode, .interval = std::chrono::milliseconds(2)};
  options.boot_id = "first boot";
  write_log(node, options, clean);
  options.boot_id = rebooted ? "second boot" : "first boot";
  const Reading reading = read_log(node.path(), options);
  REQUIRE(reading.log);
  CHECK((*reading.log)->lost().has_value() == (mode != SyncMode::kAlways && !clean && rebooted));
}

TEST_CASE("amnesia: another log under the same mark is corrupt, not shorter") {
  NodeFolder node;
  write_log(node, {}, true);
  NodeFolder other;
  {
    RunningLog running(other.path());
    running.append(records(101, 120));
    REQUIRE(running.sync());
    REQUIRE(running.log->close());
  }
  const char* segment = "segment-00000000000000000001.db";
  std::filesystem::copy_file(other.path() / segment, node.path() / segment,
                             std::filesystem::copy_options::overwrite_existing);
  const Reading reading = read_log(node.path());
  REQUIRE(!reading.log);
  CHECK(reading.log.error().code == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace zap::store
