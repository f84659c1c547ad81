// store/sqlite.h - SQLite with owners and errors instead of handles and codes.
//
// Threads: one at a time for a connection and its statements; each connection is opened without
// SQLite's own locks.

#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace zap::store {

constexpr int kPageBytes = 4096;

/// A prepared statement; parameters and columns are numbered from 1 and from 0, as in SQLite.
class Statement {
 public:
  void bind(int parameter, std::int64_t number);
  /// `bytes` must outlive the next step().
  void bind(int parameter, std::string_view bytes);

  /// True: there is a row.
  Result<bool> step();
  /// Ready to be bound and stepped again; lets go of what it has read.
  void reset();

  std::int64_t number(int column) const;
  /// Until the next step() or reset().
  std::string_view bytes(int column) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Connection {
 public:
  enum class Access { kCreate, kWrite, kRead };
  static Result<Connection> open(const std::string& file, Access access);

  Result<void> run(const std::string& sql);
  Result<Statement> prepare(const std::string& sql);

  /// Bytes of the write-ahead log that hold what was committed on this connection. What lies
  /// behind is room.
  std::uint64_t write_ahead_log_bytes() const;
  /// Fills the write-ahead log with zeros up to `bytes`. A sync of what is then written there has
  /// no file size and no blocks to make durable as well, which halves it. Whoever reads the log
  /// stops at zeros, as at anything that is not the next page of this log.
  Result<void> make_room(std::uint64_t bytes);
  /// Makes what was committed to the write-ahead log durable.
  Result<void> sync_write_ahead_log();
  /// Moves the write-ahead log into the file, durably, and empties it. kUnavailable: somebody
  /// else reads it; nothing is lost, the write-ahead log stays.
  Result<void> checkpoint();
  /// Closing removes the write-ahead log after this; before, it stays as it is.
  void remove_write_ahead_log_at_close();

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  /// Null before the first commit.
  sqlite3_file* write_ahead_log() const;
  Result<void> checked(int code, const char* what) const;

  std::unique_ptr<int> pages_;  ///< in the write-ahead log; SQLite's hook has its address
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace zap::store
