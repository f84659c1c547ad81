#include "tests/unit/wire/samples.h"

#include <sstream>

#include "core/check.h"

namespace zap::test {

// ---------------------------------------------------------------- making

std::string Samples::text(std::uint32_t most) {
  std::string bytes(small(most + 1), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random_());
  return bytes;
}

Digest Samples::digest() {
  Digest digest;
  for (auto& byte : digest.bytes) byte = static_cast<std::uint8_t>(random_());
  return digest;
}

Signature Samples::signature() {
  Signature signature;
  for (auto& byte : signature.bytes) byte = static_cast<std::uint8_t>(random_());
  return signature;
}

Operation Samples::operation() {
  Operation operation;
  operation.id = {small(9), number(), number()};
  operation.deadline = static_cast<WallTime>(number());
  operation.listener = text(20);
  operation.method = text(40);
  operation.payload = Bytes(text(300));
  if (flag()) operation.once = OnceKey{digest(), digest()};
  operation.kind = static_cast<OperationKind>(small(3));
  return operation;
}

pbft::Bundle Samples::bundle() {
  auto proof = std::make_shared<pbft::BundleProof>();
  proof->origin = small(9);
  proof->incarnation = number();
  proof->first_number = number();
  proof->digests = several(5, [&] { return digest(); });
  proof->signature = signature();
  return {proof, several(5, [&] { return call(); })};
}

pbft::Batch Samples::batch() {
  return {static_cast<WallTime>(number()), several(5, [&] { return digest(); })};
}

pbft::BatchContent Samples::content() {
  return {number(), batch(), several(4, [&] { return call(); })};
}

pbft::PrePrepare Samples::pre_prepare() {
  return {number(), number(), number(), digest(), batch(), signature()};
}

pbft::Prepare Samples::prepare() { return {number(), number(), number(), digest(), signature()}; }

pbft::Certificate Samples::certificate() {
  return {number(), number(), number(), digest(), several(5, [&] { return vote(); })};
}

pbft::Checkpoint Samples::checkpoint() { return {number(), number(), digest(), signature()}; }

pbft::StableCheckpoint Samples::stable() {
  return {number(), number(), digest(), several(5, [&] { return vote(); })};
}

pbft::ViewChange Samples::view_change() {
  return {small(9),   number(), number(), stable(), several(4, [&] { return certificate(); }),
          signature()};
}

pbft::NewView Samples::new_view() {
  const auto reproposal = [&] { return pbft::Reproposal{number(), digest(), signature()}; };
  return {number(), number(), several(4, [&] { return view_change(); }), several(4, reproposal),
          signature()};
}

Message Samples::message(std::size_t kind) {
  switch (kind) {
    case 0:
      return bundle();
    case 1:
      return pre_prepare();
    case 2:
      return prepare();
    case 3:
      return pbft::Commit{number(), number(), number(), digest()};
    case 4:
      return checkpoint();
    case 5:
      return stable();
    case 6:
      return view_change();
    case 7:
      return new_view();
    case 8:
      return pbft::Status{number(), number(), flag(), number(), number(), number(),
                          number(), number(), flag(), number(), number()};
    case 9:
      return pbft::FetchBatches{several(5, [&] {
        return pbft::FetchBatches::Wanted{number(), digest()};
      })};
    case 10:
      return pbft::Batches{several(3, [&] { return content(); })};
    case 11:
      return pbft::FetchCalls{several(5, [&] { return digest(); })};
    case 12:
      return pbft::DecidedDigests{number(), several(5, [&] { return digest(); })};
    case 13:
      return pbft::Shown{number(),
                         stable(),
                         several(1, [&] { return prepare(); }),
                         several(2, [&] { return pre_prepare(); }),
                         several(2, [&] { return checkpoint(); }),
                         several(2, [&] { return view_change(); })};
  }
  static_assert(kMessageKinds == 14);
  ZAP_CHECK(false, "there is no message of kind " << kind);
}

Record Samples::record(std::size_t kind) {
  switch (kind) {
    case 0:
      return pbft::Accepted{number(), number(), digest(), content(), signature()};
    case 1:
      return certificate();
    case 2:
      return pbft::Decided{number(), digest(), content(), static_cast<WallTime>(number()),
                           number(), digest()};
    case 3:
      return view_change();
    case 4:
      return new_view();
    case 5:
      return stable();
    case 6:
      return pbft::Founding{{Duration(number()), number(), number()}};
  }
  static_assert(kRecordKinds == 7);
  ZAP_CHECK(false, "there is no record of kind " << kind);
}

wire::Hello Samples::hello() {
  return {small(9), text(64), small(9), number(), digest(), digest(), digest(), text(20)};
}

wire::AnswerMessage Samples::answer_message(std::size_t kind) {
  switch (kind) {
    case 0:
      return wire::Replies{number(), several(9, [&] {
                             return wire::Replies::Result{number(), digest()};
                           })};
    case 1:
      return wire::FetchAnswers{several(9, [&] { return id(); }), flag()};
    case 2:
      return wire::Answers{several(9, [&] {
        return wire::Answers::Answer{id(), digest(), text(40)};
      })};
    case 3:
      return wire::Disputes{several(9, [&] { return id(); })};
    case 4:
      return wire::AppState{flag(), number()};
    case 5:
      return wire::ReadAnswers{number(), number(), several(9, [&] {
                                 return wire::ReadAnswers::Answer{small(9), digest(), text(40)};
                               })};
  }
  static_assert(kAnswerKinds == 6);
  ZAP_CHECK(false, "there is no message about answers of kind " << kind);
}

wire::Barrier Samples::barrier() {
  return {several(9, [&] { return small(64); }),
          several(9,
                  [&] {
                    return wire::Barrier::Read{text(20), text(40), Bytes(text(300))};
                  }),
          flag()};
}

// ---------------------------------------------------------------- describing

namespace {

class Describing {
 public:
  std::string text() const { return text_.str(); }

  void add(std::uint64_t number) { text_ << number << ' '; }
  void add(std::int64_t number) { text_ << number << ' '; }
  void add(std::uint32_t number) { text_ << number << ' '; }
  void add(bool flag) { text_ << (flag ? "yes " : "no "); }
  void add(const std::string& string) { text_ << '"' << string << "\" "; }
  void add(const Bytes& bytes) { text_ << '"' << bytes.view() << "\" "; }
  void add(const Digest& digest) { text_ << digest.hex() << ' '; }
  void add(const Signature& signature) {
    for (const unsigned byte : signature.bytes) text_ << byte << ',';
  }
  void add(const CallPtr& call) {
    const auto& [operation, digest] = *call;
    const auto& [id, deadline, listener, method, payload, once, kind] = operation;
    const auto& [origin, incarnation, number] = id;
    all(origin, incarnation, number, deadline, listener, method, payload,
        static_cast<std::uint32_t>(kind), digest);
    if (once) all(once->key, once->fingerprint);
  }
  void add(const pbft::Bundle& bundle) {
    const auto& [proof, calls] = bundle;
    const auto& [origin, incarnation, first_number, digests, signature] = *proof;
    all(origin, incarnation, first_number, digests, signature, calls);
  }
  void add(const pbft::Batch& batch) {
    const auto& [timestamp, calls] = batch;
    all(timestamp, calls);
  }
  void add(const pbft::BatchContent& content) {
    const auto& [seq, batch, calls] = content;
    all(seq, batch, calls);
  }
  void add(const pbft::PrePrepare& message) {
    const auto& [epoch, view, seq, digest, batch, signature] = message;
    all(epoch, view, seq, digest, batch, signature);
  }
  void add(const pbft::Prepare& message) {
    const auto& [epoch, view, seq, digest, signature] = message;
    all(epoch, view, seq, digest, signature);
  }
  void add(const pbft::Commit& message) {
    const auto& [epoch, view, seq, digest] = message;
    all(epoch, view, seq, digest);
  }
  void add(const pbft::Vote& vote) {
    const auto& [signer, signature] = vote;
    all(signer, signature);
  }
  void add(const pbft::Certificate& certificate) {
    const auto& [epoch, view, seq, digest, votes] = certificate;
    all(epoch, view, seq, digest, votes);
  }
  void add(const pbft::Checkpoint& message) {
    const auto& [epoch, seq, digest, signature] = message;
    all(epoch, seq, digest, signature);
  }
  void add(const pbft::StableCheckpoint& message) {
    const auto& [epoch, seq, digest, votes] = message;
    all(epoch, seq, digest, votes);
  }
  void add(const pbft::ViewChange& message) {
    const auto& [sender, epoch, view, stable, prepared, signature] = message;
    all(sender, epoch, view, stable, prepared, signature);
  }
  void add(const pbft::Reproposal& reproposal) {
    const auto& [seq, digest, signature] = reproposal;
    all(seq, digest, signature);
  }
  void add(const pbft::NewView& message) {
    const auto& [epoch, view, view_changes, reproposals, signature] = message;
    all(epoch, view, view_changes, reproposals, signature);
  }
  void add(const pbft::Status& message) {
    const auto& [epoch, view, active, stable, prepared, decided, checkpoint, incarnation, returning,
                 horizon, wants] = message;
    all(epoch, view, active, stable, prepared, decided, checkpoint, incarnation, returning, horizon,
        wants);
  }
  void add(const pbft::FetchBatches::Wanted& wanted) {
    const auto& [seq, digest] = wanted;
    all(seq, digest);
  }
  void add(const pbft::FetchBatches& message) {
    const auto& [wanted] = message;
    all(wanted);
  }
  void add(const pbft::Batches& message) {
    const auto& [contents] = message;
    all(contents);
  }
  void add(const pbft::FetchCalls& message) {
    const auto& [digests] = message;
    all(digests);
  }
  void add(const pbft::DecidedDigests& message) {
    const auto& [first, digests] = message;
    all(first, digests);
  }
  void add(const pbft::Shown& message) {
    const auto& [answers, stable, prepares, pre_prepares, checkpoints, view_changes] = message;
    all(answers, stable, prepares, pre_prepares, checkpoints, view_changes);
  }
  void add(const pbft::Accepted& record) {
    const auto& [epoch, view, digest, content, signature] = record;
    all(epoch, view, digest, content, signature);
  }
  void add(const pbft::Decided& record) {
    const auto& [view, digest, content, timestamp, last_index, chain] = record;
    all(view, digest, content, timestamp, last_index, chain);
  }
  void add(const pbft::Founding& record) {
    const auto& [keep, entries, bytes] = record.keys;
    all(std::int64_t{keep.count()}, entries, bytes);
  }

 private:
  template <typename T>
  void add(const std::vector<T>& list) {
    text_ << "[";
    for (const T& each : list) add(each);
    text_ << "] ";
  }
  template <typename... Fields>
  void all(const Fields&... fields) {
    (add(fields), ...);
  }

  std::ostringstream text_;
};

template <typename Variant>
std::string describe_any(const Variant& variant) {
  Describing describing;
  describing.add(static_cast<std::uint64_t>(variant.index()));
  std::visit([&](const auto& value) { describing.add(value); }, variant);
  return describing.text();
}

}  // namespace

std::string describe(const Message& message) { return describe_any(message); }
std::string describe(const Record& record) { return describe_any(record); }

}  // namespace zap::test
