// tests/unit/store/harness.h - a folder that goes away, and a log in it that can be waited for.

#pragma once

#include <unistd.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/log.h"
#include "store/vote_mark.h"

namespace zap::store {

inline const ClusterId kCluster = "7f3a9c";

class TemporaryFolder {
 public:
  explicit TemporaryFolder(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = (parent / "zap-store-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

inline LogRecord record(std::uint64_t number, std::size_t size = 20, std::uint8_t kind = 1) {
  std::string body = "record " + std::to_string(number) + " ";
  while (body.size() < size) body += static_cast<char>('a' + body.size() % 26);
  return {kind, number, Bytes(std::move(body))};
}

/// record(first), ..., record(last).
inline std::vector<LogRecord> records(std::uint64_t first, std::uint64_t last,
                                      std::size_t size = 20) {
  std::vector<LogRecord> some;
  for (std::uint64_t number = first; number <= last; ++number) some.push_back(record(number, size));
  return some;
}

/// What open() finds in a folder, without starting to write.
struct Reading {
  std::vector<LogRecord> records;
  Result<std::unique_ptr<Log>> log;
};

inline Reading read_log(const std::filesystem::path& path, LogOptions options = {}) {
  options.cluster = kCluster;
  std::vector<LogRecord> read;
  auto log = Log::open(path, options, [&](const StoredRecord& stored) -> Result<void> {
    read.push_back(stored.record);
    return {};
  });
  return {std::move(read), std::move(log)};
}

/// A log that is being written.
class RunningLog {
 public:
  /// `rewrite_from`: as in Log::start; without it, nothing is rewritten.
  explicit RunningLog(const std::filesystem::path& path, LogOptions options = {},
                      std::optional<Position> rewrite_from = std::nullopt) {
    Reading reading = read_log(path, std::move(options));
    if (!reading.log) FAIL(reading.log.error().message);
    read = std::move(reading.records);
    log = std::move(*reading.log);
    const Result<void> started =
        log->start(rewrite_from.value_or(log->last_position() + 1), Vote{}, events());
    if (!started) FAIL(started.error().message);
  }

  void append(std::vector<LogRecord> some, Vote vote = {}) { log->append(std::move(some), vote); }

  /// Waits for all that was appended; false where the log fails instead.
  bool sync() {
    log->sync();
    const Position last = log->last_position();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return durable_ >= last || failure_; });
    return !failure_;
  }

  std::optional<Error> failure() {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

  std::vector<LogRecord> read;  ///< by open()

 private:
  LogEvents events() {
    return {.on_durable =
                [this](Position position) {
                  const std::lock_guard lock(mutex_);
                  durable_ = position;
                  changed_.notify_all();
                },
            .on_failed =
                [this](const Error& error) {
                  const std::lock_guard lock(mutex_);
                  REQUIRE(!failure_);
                  failure_ = error;
                  changed_.notify_all();
                }};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Position durable_ = 0;
  std::optional<Error> failure_;

 public:
  std::unique_ptr<Log> log;  ///< last: its thread uses all above
};

/// A folder with a zero mark.
class NodeFolder : public TemporaryFolder {
 public:
  NodeFolder() {
    const Result<void> created = create_zero_mark(path(), kCluster);
    if (!created) FAIL(created.error().message);
  }
};

}  // namespace zap::store
