// Random messages and records of every kind, and their whole contents as text.
//
// The text is written with structured bindings: a field that is added to a struct does not compile
// here until it is written, and so compared, too.

#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "consensus/engine.h"
#include "consensus/wire/barrier.h"
#include "consensus/wire/peer_messages.h"

namespace zap::test {

/// Draws the same values from the same seed on every platform.
class Samples {
 public:
  explicit Samples(std::uint64_t seed) : random_(seed) {}

  static constexpr std::size_t kMessageKinds = std::variant_size_v<Message>;
  static constexpr std::size_t kRecordKinds = std::variant_size_v<Record>;
  static constexpr std::size_t kAnswerKinds = std::variant_size_v<wire::AnswerMessage>;

  Message message(std::size_t kind);
  Record record(std::size_t kind);
  wire::Hello hello();
  wire::AnswerMessage answer_message(std::size_t kind);
  wire::Barrier barrier();

 private:
  std::uint64_t number() { return random_() >> (random_() % 64); }
  std::uint32_t small(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
  bool flag() { return small(2) == 1; }
  std::string text(std::uint32_t most);
  Digest digest();
  Signature signature();
  OperationId id() { return {small(9), number(), number()}; }
  Operation operation();
  CallPtr call() { return std::make_shared<const Call>(operation()); }
  pbft::Bundle bundle();
  pbft::Batch batch();
  pbft::BatchContent content();
  pbft::PrePrepare pre_prepare();
  pbft::Prepare prepare();
  pbft::Vote vote() { return {small(9), signature()}; }
  pbft::Certificate certificate();
  pbft::Checkpoint checkpoint();
  pbft::StableCheckpoint stable();
  pbft::ViewChange view_change();
  pbft::NewView new_view();

  template <typename Make>
  auto several(std::uint32_t most, Make make) {
    std::vector<decltype(make())> list(small(most + 1));
    for (auto& each : list) each = make();
    return list;
  }

  std::mt19937_64 random_;
};

std::string describe(const Message& message);
std::string describe(const Record& record);

}  // namespace zap::test
