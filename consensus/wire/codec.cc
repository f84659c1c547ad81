#include "consensus/wire/codec.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstring>

#include "consensus/wire/read.h"
#include "consensus/wire/write.h"
#include "core/limits.h"

namespace zap::wire {

namespace {

/// Far above what our deepest message needs (a vote in a certificate in a view change in a new
/// view), far below what could exhaust a stack.
constexpr int kNesting = 16;
constexpr std::size_t kScratchWords = 8'192;

/// Builds one message of Root with `fill`, mostly without allocating but for the result.
template <typename Root, typename Fill>
Bytes build(Fill fill) {
  // Handed back zeroed, as Cap'n Proto wants it for the next message.
  static thread_local std::array<capnp::word, kScratchWords> scratch{};
  capnp::MallocMessageBuilder builder(kj::arrayPtr(scratch.data(), scratch.size()));
  fill(builder.initRoot<Root>());
  auto words = std::make_shared<kj::Array<capnp::word>>(capnp::messageToFlatArray(builder));
  const auto bytes = words->asBytes();
  return Bytes::inside(std::move(words),
                       {reinterpret_cast<const char*>(bytes.begin()), bytes.size()});
}

/// Cap'n Proto reads words where they stand; a copy is made only where they stand badly.
Bytes aligned(Bytes bytes) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % sizeof(capnp::word) == 0) return bytes;
  auto words = std::make_shared_for_overwrite<std::uint64_t[]>(bytes.size() / sizeof(capnp::word));
  std::memcpy(words.get(), bytes.data(), bytes.size());
  const auto data = reinterpret_cast<const char*>(words.get());
  return Bytes::inside(std::move(words), {data, bytes.size()});
}

template <typename Value, typename Root>
Result<Value> parse(const char* what, Bytes bytes) {
  const auto malformed = [what](const std::string& why) {
    return Error{ErrorCode::kInvalid, std::string("a malformed ") + what + ": " + why};
  };
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0) {
    return malformed(std::to_string(bytes.size()) + " bytes, which are no whole words of 8");
  }
  const Bytes owner = aligned(std::move(bytes));
  const auto words = reinterpret_cast<const capnp::word*>(owner.data());
  const std::size_t count = owner.size() / sizeof(capnp::word);
  // An honest message points to each of its words once: pointers that share them soon run dry.
  const capnp::ReaderOptions options{.traversalLimitInWords = count, .nestingLimit = kNesting};
  try {
    capnp::FlatArrayMessageReader reader(kj::arrayPtr(words, count), options);
    if (reader.getEnd() != words + count) return malformed("bytes are left over behind it");
    return read(reader.getRoot<Root>(), owner);
  } catch (const Malformed& error) {
    return malformed(error.what());
  } catch (const kj::Exception& error) {
    return malformed(error.getDescription().cStr());
  }
}

}  // namespace

Bytes encode(const Message& message) {
  return build<schema::PeerMessage>([&](auto root) { write(message, root); });
}

Bytes encode(const Hello& hello) {
  return build<schema::PeerMessage>([&](auto root) { write(hello, root.initHello()); });
}

Bytes encode(const Ping&) {
  return build<schema::PeerMessage>([](auto root) { root.setPing(); });
}

Bytes encode(const AnswerMessage& message) {
  return build<schema::PeerMessage>([&](auto root) { write(message, root); });
}

Result<PeerMessage> decode(Bytes frame) {
  if (frame.size() > limits::kFrameBytes) {
    return Error{ErrorCode::kTooLarge, "a frame of " + std::to_string(frame.size()) +
                                           " bytes; the limit is " +
                                           std::to_string(limits::kFrameBytes)};
  }
  return parse<PeerMessage, schema::PeerMessage>("message", std::move(frame));
}

Bytes encode(const Barrier& barrier) {
  return build<schema::Barrier>([&](auto root) { write(barrier, root); });
}

Result<Barrier> decode_barrier(Bytes bytes) {
  return parse<Barrier, schema::Barrier>("barrier", std::move(bytes));
}

Bytes encode_record(const Record& record) {
  return build<schema::Record>([&](auto root) { write(record, root); });
}

Result<Record> decode_record(Bytes bytes) {
  return parse<Record, schema::Record>("record", std::move(bytes));
}

}  // namespace zap::wire
