#include "proxy/driver.h"

#include <catch2/catch.hpp>

namespace zap {
namespace {

/// Votes once at each step, and writes nothing.
class Voter final : public Engine {
 public:
  Outputs step(const Now&, const Input&) override {
    Outputs outputs;
    outputs.after_write.push_back({{1}, pbft::Commit{}});
    return outputs;
  }
  EngineState state() const override { return {}; }
  std::size_t room() const override { return 0; }
  bool is_decided(const OperationId&) const override { return false; }
  bool is_superfluous(const Message&) const override { return false; }
  void check_invariants() const override {}
  std::string dump() const override { return ""; }
};

class Counting final : public DriverPorts {
 public:
  void append_to_log(std::vector<Record>) override {}
  void sync_log() override { ++syncs; }
  void sign(Message&) override {}
  void send(NodeId, const MessagePtr&) override { ++sent; }
  void serve_from_log(const Serve&) override {}
  void decided(const Decision&) override {}
  void notice(const Notice&) override {}
  void wake_at(Instant) override {}
  Now now() override { return {}; }

  int syncs = 0;
  int sent = 0;
};

TEST_CASE("driver: what the log got before its first step is durable before the first vote") {
  Voter engine;
  Counting ports;
  Driver driver(0, engine, ports, /*appended=*/1);
  driver.step(Tick{});
  CHECK(ports.sent == 0);
  CHECK(ports.syncs == 1);
  driver.log_is_durable(1);
  CHECK(ports.sent == 1);
  driver.step(Tick{});
  CHECK(ports.sent == 2);
}

}  // namespace
}  // namespace zap
