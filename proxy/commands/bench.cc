#include "proxy/commands/bench.h"

#include <iostream>
#include <map>
#include <sstream>
#include <utility>

#include "proxy/commands/load_run.h"

namespace zap::commands {
namespace {

constexpr std::uint64_t kConnectionsMax = 10'000;
constexpr std::uint64_t kSecondsMax = 86'400;
constexpr std::uint64_t kSizeMax = 16'000'000;
constexpr std::uint64_t kManyMax = 1'000'000'000;

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::string as_json(const LoadSettings& settings, const LoadReport& report) {
  std::ostringstream out;
  out << "{\"connections\":" << settings.connections << ",\"seconds\":" << report.took.count()
      << ",\"calls\":" << report.latencies.count()
      << ",\"calls_per_second\":" << report.calls_per_second()
      << ",\"p50_ms\":" << milliseconds(report.latencies.quantile(0.5))
      << ",\"p90_ms\":" << milliseconds(report.latencies.quantile(0.9))
      << ",\"p99_ms\":" << milliseconds(report.latencies.quantile(0.99))
      << ",\"max_ms\":" << milliseconds(report.latencies.max()) << ",\"errors\":{";
  const char* separator = "";
  for (const auto& [what, count] : report.errors) {
    out << std::exchange(separator, ",") << '"' << what << "\":" << count;
  }
  out << "}}\n";
  return out.str();
}

std::string as_text(const LoadSettings& settings, const LoadReport& report) {
  std::ostringstream out;
  out.precision(2);
  out << std::fixed << "calls       " << report.latencies.count() << " in " << report.took.count()
      << " s over " << settings.connections << " connections\n"
      << "throughput  " << static_cast<std::uint64_t>(report.calls_per_second()) << " calls/s\n"
      << "latency     p50 " << milliseconds(report.latencies.quantile(0.5)) << " ms, p90 "
      << milliseconds(report.latencies.quantile(0.9)) << " ms, p99 "
      << milliseconds(report.latencies.quantile(0.99)) << " ms, max "
      << milliseconds(report.latencies.max()) << " ms\n";
  if (report.errors.empty()) out << "errors      none\n";
  for (const auto& [what, count] : report.errors) {
    out << "errors      " << count << " x " << what << '\n';
  }
  return out.str();
}

class Bench : public Command {
 public:
  std::string_view name() const override { return "bench"; }
  std::string_view help() const override { return "Drive load at listeners and measure it"; }

  void declare(Flags& flags) override {
    flags.texts("--target", targets_, "a listener's address, host:port; give several to spread");
    flags.number("--connections", connections_, 1, kConnectionsMax, "each with one call in flight");
    flags.number("--duration", seconds_, 1, kSecondsMax, "seconds");
    flags.number("--size", size_, 0, kSizeMax, "bytes of a written value");
    flags.choice(
        "--mode", mode_, {"write", "read", "mixed"},
        "mixed: half reads, of keys that another connection may be writing: 404 is no fault then");
    flags.number("--rate", rate_, 0, kManyMax,
                 "calls a second over all connections; 0: as fast as answers come");
    flags.number("--keys", keys_, 1, kManyMax, "different keys, taken in turn");
    flags.text("--path", path_, "POST writes here, GET reads; {key} is filled in");
    flags.yes("--json", json_, "print one JSON object");
  }

  Exit run(const std::vector<std::string>&) override {
    const LoadSettings settings = load_settings();
    const Result<LoadReport> report = run_load(settings);
    if (!report) {
      std::cerr << "zap-sidecar bench: " << report.error().message << '\n';
      return report.error().code == ErrorCode::kUnavailable ? kUnreachable : kUsage;
    }
    std::cout << (json_ ? as_json(settings, *report) : as_text(settings, *report));
    return report->latencies.count() > 0 ? kDone : kFailed;
  }

 private:
  LoadSettings load_settings() const {
    static const std::map<std::string, LoadSettings::Mode> kModes = {
        {"write", LoadSettings::Mode::kWrite},
        {"read", LoadSettings::Mode::kRead},
        {"mixed", LoadSettings::Mode::kMixed}};
    return {.targets = targets_,
            .connections = connections_,
            .duration = std::chrono::seconds(seconds_),
            .size = size_,
            .mode = kModes.at(mode_),
            .rate = static_cast<double>(rate_),
            .keys = keys_,
            .path = path_};
  }

  std::vector<std::string> targets_ = {"127.0.0.1:8081"};
  std::uint64_t connections_ = 16;
  std::uint64_t seconds_ = 10;
  std::uint64_t size_ = 256;
  std::string mode_ = "write";
  std::uint64_t rate_ = 0;
  std::uint64_t keys_ = 1000;
  std::string path_ = "/kv/{key}";
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_bench() { return std::make_unique<Bench>(); }

}  // namespace zap::commands
