#include "consensus/wire/codec.h"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "core/limits.h"
#include "tests/unit/wire/samples.h"

namespace zap::wire {
namespace {

using test::describe;
using test::Samples;

const Message& as_message(const Result<PeerMessage>& decoded) {
  return std::get<Message>(decoded.value());
}

/// One frame of each kind.
std::vector<Bytes> frames(std::uint64_t seed) {
  Samples samples(seed);
  std::vector<Bytes> all;
  for (std::size_t kind = 0; kind < Samples::kMessageKinds; ++kind) {
    all.push_back(encode(samples.message(kind)));
  }
  all.push_back(encode(samples.hello()));
  for (std::size_t kind = 0; kind < Samples::kAnswerKinds; ++kind) {
    all.push_back(encode(samples.answer_message(kind)));
  }
  all.push_back(encode(Ping{}));
  return all;
}

TEST_CASE("wire: every message decodes to what was encoded") {
  CHECK(rc::check([](std::uint64_t seed) {
    Samples samples(seed);
    for (std::size_t kind = 0; kind < Samples::kMessageKinds; ++kind) {
      const Message message = samples.message(kind);
      const Result<PeerMessage> decoded = decode(encode(message));
      RC_ASSERT(decoded.ok());
      RC_ASSERT(describe(as_message(decoded)) == describe(message));
    }
    const Hello hello = samples.hello();
    RC_ASSERT(std::get<Hello>(decode(encode(hello)).value()) == hello);
    for (std::size_t kind = 0; kind < Samples::kAnswerKinds; ++kind) {
      const AnswerMessage message = samples.answer_message(kind);
      RC_ASSERT(std::get<AnswerMessage>(decode(encode(message)).value()) == message);
    }
    RC_ASSERT(std::holds_alternative<Ping>(decode(encode(Ping{})).value()));
  }));
}

TEST_CASE("wire: a barrier decodes to what was encoded, and within limits") {
  CHECK(rc::check([](std::uint64_t seed) {
    const Barrier barrier = Samples(seed).barrier();
    RC_ASSERT(decode_barrier(encode(barrier)).value() == barrier);
  }));
  const Barrier full{.reads = std::vector<Barrier::Read>(limits::kBarrierReads + 1)};
  CHECK(decode_barrier(encode(full)).error().message ==
        "a malformed barrier: 1025 reads; the limit is 1024");
  CHECK_FALSE(decode_barrier("no barrier"));
}

TEST_CASE("wire: an answer that is not there is no answer of zeros") {
  const AnswerMessage none = Replies{7, {{1, std::nullopt}, {2, Digest{}}}};
  CHECK(std::get<AnswerMessage>(decode(encode(none)).value()) == none);
  const AnswerMessage lost = Answers{{{{1, 2, 3}, std::nullopt, {}}}};
  CHECK(std::get<AnswerMessage>(decode(encode(lost)).value()) == lost);
}

TEST_CASE("wire: every record decodes to what was encoded") {
  CHECK(rc::check([](std::uint64_t seed) {
    Samples samples(seed);
    for (std::size_t kind = 0; kind < Samples::kRecordKinds; ++kind) {
      const Record record = samples.record(kind);
      const Result<Record> decoded = decode_record(encode_record(record));
      RC_ASSERT(decoded.ok());
      RC_ASSERT(describe(decoded.value()) == describe(record));
    }
  }));
}

TEST_CASE("wire: a message that fills its frame, and more than one segment, comes back whole") {
  auto proof = std::make_shared<pbft::BundleProof>();
  pbft::Bundle bundle{proof, {}};
  for (std::uint64_t number = 1; number <= 20; ++number) {
    Operation operation{.id = {1, 1, number}, .payload = Bytes(std::string(1'000'000, 'p'))};
    bundle.calls.push_back(std::make_shared<const Call>(std::move(operation)));
  }
  const Message message = bundle;
  const Result<PeerMessage> decoded = decode(encode(message));
  REQUIRE(decoded);
  CHECK(describe(as_message(decoded)) == describe(message));
}

TEST_CASE("wire: payloads are slices of the frame, not copies") {
  const Operation operation{.payload = "the payload"};
  const Bytes frame = encode(Message(pbft::Bundle{std::make_shared<pbft::BundleProof>(),
                                                  {std::make_shared<const Call>(operation)}}));
  const Result<PeerMessage> decoded = decode(frame);
  const Bytes& payload = std::get<pbft::Bundle>(as_message(decoded)).calls.at(0)->operation.payload;
  CHECK(payload.view() == "the payload");
  CHECK(payload.data() > frame.data());
  CHECK(payload.data() < frame.data() + frame.size());
}

TEST_CASE("wire: bytes that stand on an odd address decode too") {
  const Message message = Samples(4).message(0);
  const Bytes shifted = Bytes("x" + std::string(encode(message).view()));
  const Result<PeerMessage> decoded = decode(shifted.slice(1, shifted.size() - 1));
  CHECK(describe(as_message(decoded)) == describe(message));
}

TEST_CASE("wire: cut anywhere, or with something behind it, it is an error") {
  for (const Bytes& frame : frames(3)) {
    for (std::size_t size = 0; size < frame.size(); ++size) {
      REQUIRE_FALSE(decode(frame.slice(0, size)));
    }
    CHECK_FALSE(decode(Bytes(std::string(frame.view()) + std::string(8, '\0'))));
  }
}

TEST_CASE("wire: a flipped bit is an error or another message, never a crash") {
  std::size_t errors = 0;
  for (const Bytes& frame : frames(5)) {
    std::string bytes(frame.view());
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const char flipped = static_cast<char>(1 << (bit % 8));
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flipped);
      const Result<PeerMessage> decoded = decode(Bytes::copy_of(bytes));
      if (!decoded) {
        ++errors;
      } else if (const auto* message = std::get_if<Message>(&decoded.value())) {
        REQUIRE(decode(encode(*message)));
      }
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flipped);
    }
  }
  CHECK(errors > 0);
}

TEST_CASE("wire: random bytes") {
  CHECK(rc::check([](std::vector<std::uint64_t> words) {
    const std::string_view bytes(reinterpret_cast<const char*>(words.data()), words.size() * 8);
    (void)decode(Bytes::copy_of(bytes));
    (void)decode_record(Bytes::copy_of(bytes));
  }));
}

TEST_CASE("wire: every limit is kept, and named") {
  const auto error_of = [](const Message& message) { return decode(encode(message)).error(); };

  const Error digests =
      error_of(pbft::DecidedDigests{1, std::vector<Digest>(limits::kSlotsPerMessage + 1)});
  CHECK(digests.message == "a malformed message: 1025 digests; the limit is 1024");
  const Error wanted = error_of(
      pbft::FetchBatches{std::vector<pbft::FetchBatches::Wanted>(limits::kSlotsPerMessage + 1)});
  CHECK(wanted.message == "a malformed message: 1025 wanted batches; the limit is 1024");
  const Error votes =
      error_of(pbft::StableCheckpoint{.votes = std::vector<pbft::Vote>(limits::kMembers + 1)});
  CHECK(votes.message == "a malformed message: 65 votes; the limit is 64");
  const Error name = error_of(
      pbft::Bundle{std::make_shared<pbft::BundleProof>(),
                   {std::make_shared<const Call>(Operation{.method = std::string(2'000, 'm')})}});
  CHECK(name.message == "a malformed message: 2000 bytes in a name; the limit is 1024");

  const CallPtr call = std::make_shared<const Call>(Operation{});
  const pbft::BatchContent full{.calls = std::vector<CallPtr>(limits::kBatchCalls, call)};
  const Error calls = error_of(pbft::Batches{std::vector<pbft::BatchContent>(17, full)});
  CHECK(calls.message == "a malformed message: 65537 calls in one message; the limit is 65536");

  const Error frame = decode(Bytes(std::string(limits::kFrameBytes + 8, '\0'))).error();
  CHECK(frame.code == ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace zap::wire
