#include "store/segment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "store/crc32c.h"
#include "store/files.h"
#include "store/little_endian.h"

namespace zap::store {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFormat = 1;
constexpr std::string_view kPrefix = "segment-";
constexpr std::string_view kSuffix = ".db";
constexpr std::size_t kNameDigits = 20;
/// Zeros written ahead of SQLite at once: some twenty small commits.
constexpr std::uint64_t kRoomBytes = 256u << 10;
constexpr std::array<std::string_view, 3> kBesides = {"-wal", "-shm", "-journal"};

constexpr const char* kSchema =
    "CREATE TABLE segment(format INTEGER NOT NULL, cluster BLOB NOT NULL, first INTEGER NOT NULL,"
    " previous BLOB NOT NULL, crc INTEGER NOT NULL);"
    "CREATE TABLE record(position INTEGER PRIMARY KEY, kind INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " previous BLOB NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL);";

std::int64_t as_column(std::uint64_t number) { return static_cast<std::int64_t>(number); }

std::uint32_t crc_of_header(const SegmentHeader& header) {
  std::string bytes;
  put_little_endian(bytes, static_cast<std::uint64_t>(kFormat), 8);
  put_little_endian(bytes, header.first, 8);
  bytes += header.previous.view();
  bytes += header.cluster;
  return crc32c(bytes);
}

bool to_digest(std::string_view bytes, Digest& digest) {
  if (bytes.size() != digest.bytes.size()) return false;
  std::memcpy(digest.bytes.data(), bytes.data(), bytes.size());
  return true;
}

std::string pragma_synchronous(SyncMode sync_mode) {
  return std::string("PRAGMA synchronous=") + (sync_mode == SyncMode::kAlways ? "FULL" : "NORMAL");
}

Result<void> insert_header(Connection& connection, const SegmentHeader& header) {
  Result<Statement> insert = connection.prepare("INSERT INTO segment VALUES(?1, ?2, ?3, ?4, ?5)");
  if (!insert) return insert.error();
  insert->bind(1, kFormat);
  insert->bind(2, std::string_view(header.cluster));
  insert->bind(3, as_column(header.first));
  insert->bind(4, header.previous.view());
  insert->bind(5, crc_of_header(header));
  const Result<bool> done = insert->step();
  if (!done) return done.error();
  return {};
}

void remove_besides(const fs::path& file) {
  std::error_code ignored;
  for (const std::string_view suffix : kBesides) {
    fs::remove(file.string() + std::string(suffix), ignored);
  }
}

Result<void> remove_file(const fs::path& file) {
  remove_besides(file);
  std::error_code error;
  fs::remove(file, error);
  if (error) {
    return Error{ErrorCode::kIo, "cannot remove " + file.string() + ": " + error.message()};
  }
  return {};
}

Error corrupt(const fs::path& file, const std::string& what) {
  return Error{ErrorCode::kCorrupt,
               file.string() + ": " + what +
                   "; the disk did not keep what was written: give this node a new identity with "
                   "`members replace`"};
}

}  // namespace

std::string segment_name(Position first) {
  const std::string digits = std::to_string(first);
  return std::string(kPrefix) + std::string(kNameDigits - digits.size(), '0') + digits +
         std::string(kSuffix);
}

Result<std::vector<Position>> list_segments(const fs::path& folder) {
  std::vector<Position> firsts;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() != kPrefix.size() + kNameDigits + kSuffix.size()) continue;
    Position first = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), first);
    if (first > 0 && name == segment_name(first)) firsts.push_back(first);
  }
  if (error) {
    return Error{ErrorCode::kIo, "cannot list folder " + folder.string() + ": " + error.message()};
  }
  std::sort(firsts.begin(), firsts.end());
  return firsts;
}

Result<void> remove_segment(const fs::path& folder, Position first) {
  return remove_file(folder / segment_name(first));
}

// ---------------------------------------------------------------- writing

Result<SegmentWriter> SegmentWriter::create(const fs::path& folder, const SegmentHeader& header,
                                            SyncMode sync_mode, const Fill& fill) {
  const fs::path file = folder / segment_name(header.first);
  const fs::path unborn = file.string() + ".new";
  const Result<void> removed = remove_file(unborn);
  if (!removed) return removed.error();

  Result<Connection> connection = Connection::open(unborn.string(), Connection::Access::kCreate);
  if (!connection) return connection.error();
  SegmentWriter writer(unborn, std::move(*connection));
  Result<void> done =
      writer.connection_.run(std::string("PRAGMA page_size=" + std::to_string(kPageBytes) +
                                         "; PRAGMA application_id=0x5A41504C;"
                                         "PRAGMA journal_mode=WAL;") +
                             kSchema);
  if (done) done = writer.prepare(SyncMode::kAlways);
  if (done) done = writer.begin();
  if (done) done = insert_header(writer.connection_, header);
  if (done && fill) done = fill(writer);
  if (done) done = writer.commit();
  if (done) done = std::move(writer).seal();
  if (!done) return done.error();

  remove_besides(file);  // of the segment that is replaced: they would be taken for the new one's
  std::error_code error;
  fs::rename(unborn, file, error);
  if (error) {
    return Error{ErrorCode::kIo, "cannot rename " + unborn.string() + ": " + error.message()};
  }
  done = sync_folder(folder);
  if (!done) return done.error();
  return open(file, sync_mode);
}

Result<SegmentWriter> SegmentWriter::open(const fs::path& file, SyncMode sync_mode) {
  Result<Connection> connection = Connection::open(file.string(), Connection::Access::kWrite);
  if (!connection) return connection.error();
  SegmentWriter writer(file, std::move(*connection));
  const Result<void> prepared = writer.prepare(sync_mode);
  if (!prepared) return prepared.error();
  std::error_code error;
  writer.file_bytes_ = fs::file_size(file, error);
  if (error) {
    return Error{ErrorCode::kIo, "cannot size " + file.string() + ": " + error.message()};
  }
  return writer;
}

Result<void> SegmentWriter::prepare(SyncMode sync_mode) {
  Result<void> set = connection_.run(pragma_synchronous(sync_mode));
  if (!set) return set;
  Result<Statement> insert =
      connection_.prepare("INSERT INTO record VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  if (!insert) return insert.error();
  Result<Statement> begin = connection_.prepare("BEGIN IMMEDIATE");
  if (!begin) return begin.error();
  Result<Statement> commit = connection_.prepare("COMMIT");
  if (!commit) return commit.error();
  insert_ = std::move(*insert);
  begin_ = std::move(*begin);
  commit_ = std::move(*commit);
  return {};
}

namespace {

Result<void> run_once(Statement& statement) {
  const Result<bool> stepped = statement.step();
  statement.reset();
  if (!stepped) return stepped.error();
  return {};
}

}  // namespace

Result<void> SegmentWriter::begin() { return run_once(begin_); }

Result<void> SegmentWriter::commit() { return run_once(commit_); }

Result<void> SegmentWriter::insert(const ChainedRecord& chained) {
  insert_.bind(1, as_column(chained.position));
  insert_.bind(2, chained.record.kind);
  insert_.bind(3, as_column(chained.record.seq));
  insert_.bind(4, chained.previous.view());
  insert_.bind(5, crc_of(chained));
  insert_.bind(6, chained.record.body.view());
  return run_once(insert_);
}

Result<void> SegmentWriter::sync() { return connection_.sync_write_ahead_log(); }

Result<void> SegmentWriter::make_room() {
  const std::uint64_t used = connection_.write_ahead_log_bytes();
  if (used + kRoomBytes / 2 <= room_ends_) return {};
  room_ends_ = used + kRoomBytes;
  return connection_.make_room(room_ends_);
}

std::uint64_t SegmentWriter::bytes() const {
  return file_bytes_ + connection_.write_ahead_log_bytes();
}

Result<void> SegmentWriter::seal() && {
  SegmentWriter last_use = std::move(*this);
  Result<void> moved = last_use.connection_.checkpoint();
  if (moved) last_use.connection_.remove_write_ahead_log_at_close();
  return moved;
}

// ---------------------------------------------------------------- reading

Result<SegmentReader> SegmentReader::open(const fs::path& file) {
  Result<Connection> connection = Connection::open(file.string(), Connection::Access::kRead);
  if (!connection) return connection.error();
  SegmentReader reader(file, std::move(*connection));
  const Result<void> header = reader.read_header();
  if (!header) return header.error();

  const std::string select =
      "SELECT position, kind, seq, previous, crc, body FROM record"
      " WHERE position BETWEEN ?1 AND ?2";
  Result<Statement> all = reader.connection_.prepare(select + " ORDER BY position");
  if (!all) return all.error();
  Result<Statement> some = reader.connection_.prepare(
      select + " AND seq BETWEEN ?3 AND ?4 AND (1 << kind) & ?5 ORDER BY position");
  if (!some) return some.error();
  reader.all_ = std::move(*all);
  reader.some_ = std::move(*some);
  return reader;
}

Result<void> SegmentReader::read_header() {
  Result<Statement> select =
      connection_.prepare("SELECT format, cluster, first, previous, crc FROM segment");
  if (!select) return select.error();
  const Result<bool> found = select->step();
  if (!found) return found.error();
  if (!*found) return corrupt(file_, "the segment's header is missing");
  header_.cluster = std::string(select->bytes(1));
  header_.first = static_cast<Position>(select->number(2));
  const bool whole = to_digest(select->bytes(3), header_.previous);
  if (select->number(0) > kFormat) {
    return Error{ErrorCode::kInvalid,
                 file_.string() + ": format " + std::to_string(select->number(0)) +
                     " is of a newer sidecar; this one reads up to " + std::to_string(kFormat)};
  }
  if (!whole || select->number(0) != kFormat || select->number(4) != crc_of_header(header_) ||
      file_.filename() != segment_name(header_.first)) {
    return corrupt(file_, "the segment's header fails its CRC or names another file");
  }
  return {};
}

Result<ChainedRecord> SegmentReader::record_of_row(const Statement& row) const {
  ChainedRecord chained;
  chained.position = static_cast<Position>(row.number(0));
  const std::int64_t kind = row.number(1);
  chained.record.kind = static_cast<std::uint8_t>(kind);
  chained.record.seq = static_cast<std::uint64_t>(row.number(2));
  const bool whole = to_digest(row.bytes(3), chained.previous) && kind == chained.record.kind;
  chained.record.body = Bytes::copy_of(row.bytes(5));
  if (!whole || row.number(4) != crc_of(chained)) {
    return corrupt(file_, "record " + std::to_string(chained.position) + " fails its CRC");
  }
  return chained;
}

Result<void> SegmentReader::read(const Range& range, const Visitor& visit) {
  Statement& rows = range.kinds ? some_ : all_;
  rows.bind(1, as_column(range.first));
  rows.bind(2, as_column(range.last));
  if (range.kinds) {
    const std::uint64_t greatest = std::numeric_limits<std::int64_t>::max();
    rows.bind(3, as_column(std::min(range.first_seq, greatest)));
    rows.bind(4, as_column(std::min(range.last_seq, greatest)));
    rows.bind(5, *range.kinds);
  }
  Result<void> done;
  for (bool more = true; more;) {
    const Result<bool> row = rows.step();
    if (!row) {
      done = row.error();
      break;
    }
    if (!*row) break;
    Result<ChainedRecord> record = record_of_row(rows);
    if (!record) {
      done = record.error();
      break;
    }
    more = visit(std::move(*record));
  }
  rows.reset();
  return done;
}

}  // namespace zap::store
