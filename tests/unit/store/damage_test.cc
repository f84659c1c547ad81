// What a disk may do to a log, and that it is always noticed.

#include <algorithm>
#include <random>

#include "store/log_reader.h"
#include "store/segment.h"
#include "tests/unit/store/harness.h"

namespace zap::store {
namespace {

/// A file of one log, to be damaged and put back.
class Victim {
 public:
  explicit Victim(std::filesystem::path file) : file_(std::move(file)), whole_(read_bytes(file_)) {}
  /// But for the zeros at its end, which are room.
  std::size_t bits() const { return (whole_.find_last_not_of('\0') + 1) * 8; }
  void flip(std::size_t bit) const {
    std::string damaged = whole_;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    write_bytes(file_, damaged);
  }
  void cut(std::size_t bytes) const { write_bytes(file_, whole_.substr(0, bytes)); }
  void restore() const { write_bytes(file_, whole_); }

 private:
  std::filesystem::path file_;
  std::string whole_;
};

/// The folder as it is, in another place (reading leaves traces of its own), which is in memory
/// where that is possible, since there are many.
class Copy {
 public:
  explicit Copy(const std::filesystem::path& from)
      : folder_(std::filesystem::exists("/dev/shm") ? "/dev/shm"
                                                    : std::filesystem::temp_directory_path()) {
    std::filesystem::copy(from, folder_.path(), std::filesystem::copy_options::recursive);
  }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

/// Reads a damaged log. Whatever was done to it: the same records, or an error that names a file
/// of it, or amnesia; never other records, and never fewer in silence.
void check_noticed(const std::filesystem::path& path, const std::vector<LogRecord>& expected) {
  const Reading reading = read_log(path);
  if (!reading.log) {
    CHECK(reading.log.error().message.find("segment-") != std::string::npos);
    return;
  }
  if (reading.records == expected) return;
  REQUIRE(reading.records.size() < expected.size());
  CHECK(std::equal(reading.records.begin(), reading.records.end(), expected.begin()));
  CHECK((*reading.log)->lost().has_value());
}

void flip_bits(const std::filesystem::path& path, const std::string& name,
               const std::vector<LogRecord>& expected) {
  const Victim victim(path / name);
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 60; ++trial) {
    const std::size_t bit = random() % victim.bits();
    CAPTURE(name, bit);
    victim.flip(bit);
    const Copy copy(path);
    check_noticed(copy.path(), expected);
  }
  victim.restore();
}

/// 120 records in several segments, marked up to the last; the last segment's rows lie in SQLite's
/// write-ahead log, as after a crash, or (clean) in its file.
void write_log(const std::filesystem::path& path, bool clean) {
  {
    RunningLog running(path,
                       {.max_segment_bytes = 60'000, .interval = std::chrono::milliseconds(1)});
    for (std::uint64_t i = 1; i <= 120; i += 4) {
      running.append(records(i, i + 3, 300), {.view = 1, .seq = i + 3});
      REQUIRE(running.sync());
    }
    if (clean) REQUIRE(running.log->close());
  }
  if (clean) return;
  // As if the crash had come just after the interval's end.
  const Result<ChainEnd> end = LogReader(path).scan(
      kCluster, [](const ChainedRecord&, const Digest&) -> Result<void> { return {}; });
  REQUIRE(end);
  Result<MarkFile> file = MarkFile::open(path);
  REQUIRE(file);
  Mark mark = file->mark();
  mark.position = end->position;
  mark.chain = end->hash;
  REQUIRE(file->write(mark));
}

TEST_CASE("damage: a flipped bit anywhere in a log is found") {
  const bool clean = GENERATE(true, false);
  NodeFolder node;
  write_log(node.path(), clean);
  const std::vector<LogRecord> expected = records(1, 120, 300);
  {
    const Copy copy(node.path());
    REQUIRE(read_log(copy.path()).records == expected);
  }
  const auto segments = list_segments(node.path());
  REQUIRE(segments);
  REQUIRE(segments->size() > 1);
  for (const Position first : *segments) {
    for (const std::string& suffix : {std::string(), std::string("-wal")}) {
      const std::string name = segment_name(first) + suffix;
      if (std::filesystem::exists(node.path() / name) &&
          std::filesystem::file_size(node.path() / name) > 0) {
        flip_bits(node.path(), name, expected);
      }
    }
  }
}

TEST_CASE("damage: what a record says is under its CRC, and the error names it") {
  NodeFolder node;
  write_log(node.path(), true);
  const std::filesystem::path first = node.path() / segment_name(1);
  const std::string whole = read_bytes(first);
  const std::size_t body = whole.find("record 3 ");
  REQUIRE(body != std::string::npos);
  Victim(first).flip((body + 7) * 8);
  const Reading reading = read_log(node.path());
  REQUIRE(!reading.log);
  CHECK(reading.log.error().code == ErrorCode::kCorrupt);
  CHECK(reading.log.error().message.find(segment_name(1) + ": record 3 fails its CRC") !=
        std::string::npos);
  CHECK(reading.records == records(1, 2, 300));
}

TEST_CASE("damage: a torn tail is a shorter log, and the mark notices") {
  NodeFolder node;
  write_log(node.path(), false);
  const std::vector<LogRecord> expected = records(1, 120, 300);
  const std::string last = segment_name(list_segments(node.path())->back()) + "-wal";
  const Victim victim(node.path() / last);
  bool shorter = false;
  for (std::size_t kept = 0; kept <= victim.bits() / 8; kept += 1777) {
    victim.cut(kept);
    const Copy copy(node.path());
    check_noticed(copy.path(), expected);
    shorter = shorter || read_log(copy.path()).records.size() < expected.size();
  }
  CHECK(shorter);
}

TEST_CASE("damage: a segment that is gone is corrupt, not absent") {
  NodeFolder node;
  write_log(node.path(), true);
  const auto segments = list_segments(node.path());
  REQUIRE(segments->size() > 2);
  REQUIRE(remove_segment(node.path(), segments->at(1)));
  const Reading reading = read_log(node.path());
  REQUIRE(!reading.log);
  CHECK(reading.log.error().code == ErrorCode::kCorrupt);
  CHECK(reading.log.error().message.find("are missing") != std::string::npos);
}

TEST_CASE("damage: a half-made segment of a crash is not read") {
  NodeFolder node;
  write_log(node.path(), true);
  write_bytes(node.path() / (segment_name(121) + ".new"), "half a file");
  RunningLog running(node.path());
  CHECK(running.read == records(1, 120, 300));
}

}  // namespace
}  // namespace zap::store
