#include "proxy/commands/bench_command.h"

#include "proxy/commands/bench.h"

namespace zap::commands {
namespace {

class Bench : public Command {
 public:
  std::string_view name() const override { return "bench"; }
  std::string_view help() const override {
    return "Drive load at HTTP listeners; print throughput and latency percentiles";
  }

  void declare(Flags& flags) override {
    flags.texts("--target", targets_, "a listener's host:port; once for each");
    flags.number("--connections", connections_, 1, 100'000, "each with one call in flight");
    flags.number("--seconds", seconds_, 1, 86'400, "how long");
    flags.number("--size", size_, 0, 1'000'000, "bytes of a written value");
    flags.choice("--mode", mode_, {"write", "read", "mixed"}, "what to call");
    flags.number("--rate", rate_, 0, 10'000'000, "calls a second; 0: as fast as it goes");
    flags.number("--keys", keys_, 1, 1'000'000'000, "different keys, taken in turn");
    flags.text("--path", path_, "POST writes here, GET reads; {key} becomes 16 bytes");
    flags.yes("--json", json_, "print one JSON object");
  }

  Exit run(const std::vector<std::string>&) override {
    if (targets_.empty()) targets_ = {"127.0.0.1:8081"};
    return static_cast<Exit>(bench_command(
        {
            .targets = targets_,
            .connections = connections_,
            .duration = std::chrono::seconds(seconds_),
            .size = size_,
            .mode = mode_ == "write"  ? BenchSettings::Mode::kWrite
                    : mode_ == "read" ? BenchSettings::Mode::kRead
                                      : BenchSettings::Mode::kMixed,
            .rate = static_cast<double>(rate_),
            .keys = keys_,
            .path = path_,
        },
        json_));
  }

 private:
  std::vector<std::string> targets_;
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
