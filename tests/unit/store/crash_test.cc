// Processes that are killed, and disks that refuse.

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <random>

#include "store/segment.h"
#include "tests/unit/store/harness.h"

namespace zap::store {
namespace {

/// Appends on and on, and tells the pipe each position that was reported durable.
[[noreturn]] void write_until_killed(const std::filesystem::path& path, int pipe) {
  auto log = Log::open(path, {.cluster = kCluster, .max_segment_bytes = 150'000},
                       [](const StoredRecord&) -> Result<void> { return {}; });
  if (!log) ::_exit(1);
  const Position before = (*log)->last_position();
  const Position rewrite_from = before > 20 ? before - 20 : 1;
  const Result<void> started =
      (*log)->start(rewrite_from, Vote{},
                    {.on_durable =
                         [pipe](Position position) {
                           if (::write(pipe, &position, sizeof position) < 0) ::_exit(2);
                         },
                     .on_failed = [](const Error&) { ::_exit(3); }});
  if (!started) ::_exit(4);
  for (Position next = before + 1;; next += 3) {
    (*log)->append(records(next, next + 2, 400), {.view = 0, .seq = next + 2});
    (*log)->sync();
    ::usleep(50);
  }
}

TEST_CASE("crash: killed at any moment, all that was reported durable is there") {
  NodeFolder node;
  std::mt19937 random(11);
  Position reached = 0;
  for (int round = 0; round < 12; ++round) {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) write_until_killed(node.path(), pipe[1]);
    ::close(pipe[1]);
    Position durable = 0;
    if (round % 3 > 0) {  // else possibly while it starts
      REQUIRE(::read(pipe[0], &durable, sizeof durable) == sizeof durable);
    }
    ::usleep(static_cast<useconds_t>(random() % 20'000));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    while (::read(pipe[0], &durable, sizeof durable) == sizeof durable) {
    }
    ::close(pipe[0]);
    reached = std::max(reached, durable);

    const Reading reading = read_log(node.path());
    if (!reading.log) FAIL(reading.log.error().message);
    CHECK(!(*reading.log)->lost());
    CHECK(reading.records.size() >= reached);
    CHECK(reading.records == records(1, reading.records.size(), 400));
    reached = reading.records.size();
  }
  CHECK(reached > 100);
}

/// Runs in a child process with a limit on the size of every file; the answer is its exit status.
int fill_the_disk(const std::filesystem::path& path) {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{600'000, 600'000};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::mutex mutex;
  std::condition_variable changed;
  Position durable = 0;
  int failures = 0;
  auto log = Log::open(path, {.cluster = kCluster},
                       [](const StoredRecord&) -> Result<void> { return {}; });
  if (!log) return 10;
  const Result<void> started = (*log)->start(1, Vote{},
                                             {.on_durable =
                                                  [&](Position position) {
                                                    const std::lock_guard lock(mutex);
                                                    durable = position;
                                                    changed.notify_one();
                                                  },
                                              .on_failed =
                                                  [&](const Error& error) {
                                                    const std::lock_guard lock(mutex);
                                                    failures +=
                                                        error.code == ErrorCode::kIo ? 1 : 99;
                                                    changed.notify_one();
                                                  }});
  if (!started) return 11;
  for (std::uint64_t number = 1; number <= 1000; ++number) {
    (*log)->append({record(number, 10'000)}, Vote{});
    (*log)->sync();
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return durable == number || failures > 0; });
    if (failures > 0) break;
  }
  // Nothing is tried again on that handle.
  (*log)->append({record(1)}, Vote{});
  (*log)->sync();
  if ((*log)->close()) return 12;
  const std::lock_guard lock(mutex);
  if (failures != 1) return 13;
  return durable > 5 ? static_cast<int>(durable) : 14;
}

TEST_CASE("crash: a disk that refuses is reported once, and what was durable is there") {
  NodeFolder node;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(fill_the_disk(node.path()));
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  const int durable = WEXITSTATUS(status);
  REQUIRE(durable > 14);
  const Reading reading = read_log(node.path());
  if (!reading.log) FAIL(reading.log.error().message);
  CHECK(reading.records.size() >= static_cast<std::size_t>(durable));
  CHECK(reading.records == records(1, reading.records.size(), 10'000));
}

}  // namespace
}  // namespace zap::store
