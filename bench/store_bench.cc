// bench/store_bench.cc - how long one append and its sync take, and how many records pass.
//
// Plain timing rather than Google Benchmark: the interesting figures are percentiles of one
// operation after the other, and the disk decides. Usage: store_bench [folder]; the folder must
// lie on the disk to be measured (default: the system's temporary folder).

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
    std::vector<double> latencies_us;
    const double cpu_before = process_cpu_us();
    const auto begin = Clock::now();
    for (std::size_t round = 0; round < rounds; ++round) {
      const auto start = Clock::now();
      log_->append(std::vector<LogRecord>(records, LogRecord{0, ++seq_, body}), Vote{});
      log_->sync();
      const Position last = log_->last_position();
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return durable_ >= last; });
      latencies_us.push_back(
          std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const double cpu_us = (process_cpu_us() - cpu_before) / static_cast<double>(rounds);
    std::sort(latencies_us.begin(), latencies_us.end());
    std::printf(
        "%-22s p50 %6.0f us   p99 %6.0f us   max %6.0f us   cpu %5.0f us   %9.0f records/s\n", what,
        latencies_us[rounds / 2], latencies_us[rounds * 99 / 100], latencies_us.back(), cpu_us,
        static_cast<double>(rounds * records) / seconds);
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
  zap::store::Bench bench(argc > 1 ? argv[1] : std::filesystem::temp_directory_path().string());
  bench.run("1 record of 1 KB", 10'000, 1, 1'024);
  bench.run("1 record of 32 KB", 5'000, 1, 32'768);
  bench.run("100 records of 300 B", 5'000, 100, 300);
  return 0;
}
