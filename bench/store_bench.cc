// bench/store_bench.cc - how long one append and its sync take, and how many records pass.
//
// Plain timing rather than Google Benchmark: the interesting figures are percentiles of one
// operation after the other, and the disk decides. The first line is the disk alone, to compare
// with. Usage: store_bench [folder]; the folder must lie on the disk to be measured (default: the
// system's temporary folder).

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "store/log.h"

namespace zap::store {
namespace {

using Clock = std::chrono::steady_clock;

double process_cpu_us() {
  timespec time;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

struct Timing {
  std::vector<double> latencies_us;
  double cpu_before_us = process_cpu_us();
  Clock::time_point begin = Clock::now();

  void add(Clock::time_point start) {
    latencies_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  void print(const char* what, std::size_t records_a_round) {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const auto rounds = static_cast<double>(latencies_us.size());
    std::sort(latencies_us.begin(), latencies_us.end());
    std::printf(
        "%-28s p50 %6.0f us   p99 %6.0f us   max %6.0f us   cpu %5.0f us   %9.0f records/s\n", what,
        latencies_us[latencies_us.size() / 2], latencies_us[latencies_us.size() * 99 / 100],
        latencies_us.back(), (process_cpu_us() - cpu_before_us) / rounds,
        rounds * static_cast<double>(records_a_round) / seconds);
  }
};

/// One block appended to a file and synced, again and again: what the disk itself takes.
void run_plain_file(const std::filesystem::path& parent, std::size_t rounds, std::size_t bytes) {
  const std::filesystem::path file = parent / "zap-store-bench-file";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string block(bytes, 'x');
  Timing timing;
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto start = Clock::now();
    if (::write(descriptor, block.data(), block.size()) < 0 || ::fdatasync(descriptor) != 0) break;
    timing.add(start);
  }
  timing.print("write and fdatasync, 4 KB", 1);
  ::close(descriptor);
  std::filesystem::remove(file);
}

/// A log in a folder of its own, and the wait for what was appended.
class Bench {
 public:
  explicit Bench(const std::filesystem::path& parent) : path_(parent / "zap-store-bench") {
    std::filesystem::remove_all(path_);
    require(create_zero_mark(path_, "bench"));
    auto log = Log::open(path_, {.cluster = "bench"},
                         [](const StoredRecord&) -> Result<void> { return {}; });
    require(log);
    log_ = std::move(*log);
    require(log_->start(1, Vote{},
                        {.on_durable =
                             [this](Position position) {
                               const std::lock_guard lock(mutex_);
                               durable_ = position;
                               changed_.notify_one();
                             },
                         .on_failed = [](const Error& error) { give_up(error); }}));
  }
  ~Bench() {
    log_.reset();
    std::filesystem::remove_all(path_);
  }

  /// `rounds` times: so many records of so many bytes, synced.
  void run(const char* what, std::size_t rounds, std::size_t records, std::size_t bytes) {
    const Bytes body(std::string(bytes, 'x'));
    Timing timing;
    for (std::size_t round = 0; round < rounds; ++round) {
      const auto start = Clock::now();
      log_->append(std::vector<LogRecord>(records, LogRecord{0, ++seq_, body}), Vote{});
      log_->sync();
      const Position last = log_->last_position();
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return durable_ >= last; });
      timing.add(start);
    }
    timing.print(what, records);
  }

 private:
  [[noreturn]] static void give_up(const Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    std::_Exit(1);
  }
  template <typename T>
  static void require(const Result<T>& result) {
    if (!result) give_up(result.error());
  }

  const std::filesystem::path path_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Position durable_ = 0;
  std::uint64_t seq_ = 0;
  std::unique_ptr<Log> log_;
};

}  // namespace
}  // namespace zap::store

int main(int argc, char** argv) {
  const std::filesystem::path parent =
      argc > 1 ? std::filesystem::path(argv[1]) : std::filesystem::temp_directory_path();
  zap::store::run_plain_file(parent, 5'000, 4'096);
  zap::store::Bench bench(parent);
  bench.run("log, 1 record of 1 KB", 5'000, 1, 1'024);
  bench.run("log, 1 record of 32 KB", 5'000, 1, 32'768);
  bench.run("log, 100 records of 300 B", 5'000, 100, 300);
  return 0;
}
