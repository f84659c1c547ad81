// The formats of docs/formats, held to by files that were written once and are only read since.

#include "store/chain.h"
#include "store/crc32c.h"
#include "store/log_reader.h"
#include "store/segment.h"
#include "tests/unit/store/harness.h"

namespace zap::store {
namespace {

const std::filesystem::path kGolden = ZAP_GOLDEN_FILES;

std::vector<LogRecord> golden_records() {
  return {{0, 1, Bytes("an accepted pre-prepare")},
          {1, 1, Bytes()},
          {2, 1, Bytes("decided")},
          {3, 0, Bytes("a view change is about no slot")},
          {5, 0xFFFFFFFFFFFFFFFF, Bytes(std::string(5000, 'x'))}};
}

Digest filled(std::uint8_t byte) {
  Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

Mark golden_mark() {
  return {.cluster = cluster_digest(kCluster),
          .position = 0x0102030405060708,
          .chain = filled(0xC4),
          .incarnation = 7,
          .vote = {.view = 3, .seq = 1042},
          .boot_id = "01234567-89ab-cdef-0123-456789abcdef",
          .sync_mode = SyncMode::kBatch,
          .clean = false,
          .lost = true};
}

void write_golden_segment(const std::filesystem::path& folder) {
  const auto segment =
      SegmentWriter::create(folder, {kCluster, 1, Digest{}}, SyncMode::kAlways,
                            [](SegmentWriter& unborn) -> Result<void> {
                              ChainEnd end;
                              for (const LogRecord& next : golden_records()) {
                                const ChainedRecord chained{end.position + 1, end.hash, next};
                                Result<void> inserted = unborn.insert(chained);
                                if (!inserted) return inserted;
                                end = {chained.position, hash_of(chained)};
                              }
                              return {};
                            });
  REQUIRE(segment);
}

void write_golden_mark(const std::filesystem::path& folder) {
  REQUIRE(create_zero_mark(folder, kCluster));
  Result<MarkFile> file = MarkFile::open(folder);
  REQUIRE(file);
  REQUIRE(file->write(golden_mark()));
}

TEST_CASE("golden: CRC-32C as in RFC 3720") {
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xE3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(crc32c("6789", crc32c("12345")) == 0xE3069283);
}

TEST_CASE("golden: the segment that was written once is read, record for record") {
  TemporaryFolder folder;
  std::filesystem::copy_file(kGolden / "segment.db", folder.path() / segment_name(1));
  std::vector<LogRecord> read;
  const Result<ChainEnd> end =
      LogReader(folder.path())
          .scan(kCluster, [&](const ChainedRecord& chained, const Digest&) -> Result<void> {
            read.push_back(chained.record);
            return {};
          });
  if (!end) FAIL(end.error().message);
  CHECK(read == golden_records());
  CHECK(end->hash.hex() == "8af4f8417998968454062bbe101e8568d7ca7ae7b4bb8557327b1666a3b9cb44");
}

TEST_CASE("golden: the mark is the same, byte for byte") {
  TemporaryFolder folder;
  write_golden_mark(folder.path());
  CHECK(read_bytes(folder.path() / "vote_mark") == read_bytes(kGolden / "vote_mark"));
  std::filesystem::copy_file(kGolden / "vote_mark", folder.path() / "vote_mark",
                             std::filesystem::copy_options::overwrite_existing);
  const Result<MarkFile> file = MarkFile::open(folder.path());
  REQUIRE(file);
  CHECK(file->mark() == golden_mark());
}

// How the files were made, after a new format only: unit_store "[.write-golden]".
TEST_CASE("golden: write the files", "[.write-golden]") {
  TemporaryFolder folder;
  write_golden_mark(folder.path());
  write_golden_segment(folder.path());
  const auto overwrite = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(folder.path() / segment_name(1), kGolden / "segment.db", overwrite);
  std::filesystem::copy_file(folder.path() / "vote_mark", kGolden / "vote_mark", overwrite);
}

}  // namespace
}  // namespace zap::store
