#include "store/sqlite.h"

#include <algorithm>
#include <vector>

namespace zap::store {
namespace {

constexpr int kBusyTimeoutMs = 2000;

// Of SQLite's write-ahead log (sqlite.org/fileformat2.html, 4.1), with the pages of our segments.
constexpr std::uint64_t kLogHeaderBytes = 32;
constexpr std::uint64_t kFrameBytes = 24 + kPageBytes;
constexpr std::size_t kRoomBytesAtOnce = 64u << 10;

ErrorCode error_code(int sqlite_code) {
  switch (sqlite_code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:  // a table or column is not there: the schema is damaged
      return ErrorCode::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kIo;
  }
}

Error error_of(sqlite3* database, int code) {
  const char* file = sqlite3_db_filename(database, "main");
  return Error{error_code(code), std::string(file != nullptr ? file : "log segment") + ": " +
                                     sqlite3_errmsg(database) + " (SQLite code " +
                                     std::to_string(sqlite3_extended_errcode(database)) + ")"};
}

}  // namespace

void Statement::bind(int parameter, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), parameter, number);
}

void Statement::bind(int parameter, std::string_view bytes) {
  // A null pointer would bind NULL instead of an empty value.
  sqlite3_bind_blob64(statement_.get(), parameter, bytes.empty() ? "" : bytes.data(), bytes.size(),
                      SQLITE_STATIC);
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(sqlite3_db_handle(statement_.get()), code);
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), data == nullptr ? 0 : static_cast<std::size_t>(size)};
}

Result<Connection> Connection::open(const std::string& file, Access access) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= access == Access::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (access == Access::kCreate) flags |= SQLITE_OPEN_CREATE;
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &database, flags, nullptr);
  Connection connection;
  connection.database_.reset(database);
  if (code != SQLITE_OK) {
    return Error{error_code(code), "cannot open " + file + ": " + sqlite3_errstr(code)};
  }
  sqlite3_busy_timeout(database, kBusyTimeoutMs);
  sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // In the place of SQLite's own hook, which would checkpoint on the commit path.
  connection.pages_ = std::make_unique<int>(0);
  sqlite3_wal_hook(
      database,
      [](void* pages, sqlite3*, const char*, int count) {
        *static_cast<int*>(pages) = count;
        return SQLITE_OK;
      },
      connection.pages_.get());
  return connection;
}

Result<void> Connection::run(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get(), code);
  return {};
}

Result<Statement> Connection::prepare(const std::string& sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT,
                                      &prepared, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get(), code);
  Statement statement;
  statement.statement_.reset(prepared);
  return statement;
}

sqlite3_file* Connection::write_ahead_log() const {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  return file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

Result<void> Connection::checked(int code, const char* what) const {
  if (code == SQLITE_OK) return {};
  return Error{error_code(code), std::string("cannot ") + what + " the write-ahead log of " +
                                     sqlite3_db_filename(database_.get(), "main") + ": " +
                                     sqlite3_errstr(code)};
}

Result<void> Connection::sync_write_ahead_log() {
  sqlite3_file* const file = write_ahead_log();
  if (file == nullptr) return {};
  return checked(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY), "sync");
}

std::uint64_t Connection::write_ahead_log_bytes() const {
  return *pages_ == 0 ? 0 : kLogHeaderBytes + static_cast<std::uint64_t>(*pages_) * kFrameBytes;
}

Result<void> Connection::make_room(std::uint64_t bytes) {
  static const std::vector<char> zeros(kRoomBytesAtOnce);
  sqlite3_file* const file = write_ahead_log();
  if (file == nullptr) return {};
  sqlite3_int64 size = 0;
  Result<void> done = checked(file->pMethods->xFileSize(file, &size), "size");
  while (done && size < static_cast<sqlite3_int64>(bytes)) {
    const auto count = std::min(static_cast<sqlite3_int64>(bytes) - size,
                                static_cast<sqlite3_int64>(zeros.size()));
    done = checked(file->pMethods->xWrite(file, zeros.data(), static_cast<int>(count), size),
                   "make room in");
    size += count;
  }
  return done;
}

Result<void> Connection::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), "main", SQLITE_CHECKPOINT_TRUNCATE,
                                             nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get(), code);
  return {};
}

void Connection::remove_write_ahead_log_at_close() {
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

}  // namespace zap::store
