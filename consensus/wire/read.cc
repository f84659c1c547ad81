#include "consensus/wire/read.h"

#include <algorithm>

#include "consensus/pbft/settings.h"
#include "core/limits.h"

namespace zap::wire {

namespace {

/// A list may not be longer than its limit: nothing is allocated for it before.
void limit(const char* what, std::size_t size, std::size_t most) {
  if (size > most) {
    throw Malformed(std::to_string(size) + " " + what + "; the limit is " + std::to_string(most));
  }
}

template <typename Fixed>
Fixed fixed(const char* what, capnp::Data::Reader data) {
  Fixed value;
  if (data.size() != value.bytes.size()) {
    throw Malformed(std::string(what) + " of " + std::to_string(data.size()) + " bytes; it has " +
                    std::to_string(value.bytes.size()));
  }
  std::copy(data.begin(), data.end(), value.bytes.begin());
  return value;
}
Digest digest(capnp::Data::Reader data) { return fixed<Digest>("a digest", data); }
Signature signature(capnp::Data::Reader data) { return fixed<Signature>("a signature", data); }

std::vector<Digest> digests(capnp::Data::Reader data, std::size_t most) {
  constexpr std::size_t kSize = sizeof(Digest::bytes);
  if (data.size() % kSize != 0) {
    throw Malformed("digests of " + std::to_string(data.size()) + " bytes; each has " +
                    std::to_string(kSize));
  }
  limit("digests", data.size() / kSize, most);
  std::vector<Digest> list(data.size() / kSize);
  const kj::byte* from = data.begin();
  for (Digest& each : list) {
    std::copy_n(from, kSize, each.bytes.begin());
    from += kSize;
  }
  return list;
}

OperationKind kind(std::uint8_t number) {
  if (number > static_cast<std::uint8_t>(OperationKind::kOrderedRead)) {
    throw Malformed("an operation of unknown kind " + std::to_string(number));
  }
  return static_cast<OperationKind>(number);
}

std::string name(capnp::Text::Reader text) {
  limit("bytes in a name", text.size(), limits::kNameBytes);
  return std::string(text.begin(), text.end());
}

class Reading {
 private:
  template <typename List>
  auto list(const char* what, List from, std::size_t most) {
    limit(what, from.size(), most);
    std::vector<decltype(read(from[0]))> values;
    values.reserve(from.size());
    for (const auto each : from) values.push_back(read(each));
    return values;
  }

  Bytes payload(capnp::Data::Reader from) {
    limit("bytes of payload", from.size(), limits::kPayloadBytes);
    if (from.size() == 0) return {};
    const auto offset = reinterpret_cast<const char*>(from.begin()) - owner_.data();
    return owner_.slice(static_cast<std::size_t>(offset), from.size());
  }

  static std::optional<Digest> digest_if_any(capnp::Data::Reader from) {
    return from.size() == 0 ? std::nullopt : std::optional(digest(from));
  }

 public:
  explicit Reading(const Bytes& owner) : owner_(owner) {}

  // ------------------------------------------------------------ calls

  CallPtr read(schema::Call::Reader from) {
    limit("calls in one message", ++calls_, limits::kCallsPerMessage);
    Operation operation;
    operation.id = {from.getOrigin(), from.getIncarnation(), from.getNumber()};
    operation.deadline = from.getDeadline();
    operation.listener = name(from.getListener());
    operation.method = name(from.getMethod());
    operation.payload = payload(from.getPayload());
    const std::vector<Digest> once = digests(from.getOnce(), 2);
    if (once.size() == 1) throw Malformed("an idempotency key without a fingerprint");
    if (!once.empty()) operation.once = OnceKey{once[0], once[1]};
    operation.kind = kind(from.getKind());
    return std::make_shared<const Call>(std::move(operation));
  }

  pbft::Bundle read(schema::Bundle::Reader from) {
    auto proof = std::make_shared<pbft::BundleProof>();
    proof->origin = from.getOrigin();
    proof->incarnation = from.getIncarnation();
    proof->first_number = from.getFirstNumber();
    proof->digests = digests(from.getDigests(), limits::kBatchCalls);
    proof->signature = signature(from.getSignature());
    return {std::move(proof), list("calls", from.getCalls(), limits::kBatchCalls)};
  }

  pbft::Batch read(schema::Batch::Reader from) {
    return {from.getTimestamp(), digests(from.getCalls(), limits::kBatchCalls)};
  }

  pbft::BatchContent read(schema::BatchContent::Reader from) {
    return {from.getSeq(), read(from.getBatch()),
            list("calls", from.getCalls(), limits::kBatchCalls)};
  }

  // ------------------------------------------------------------ the normal case

  pbft::PrePrepare read(schema::PrePrepare::Reader from) {
    return {from.getEpoch(),          from.getView(),        from.getSeq(),
            digest(from.getDigest()), read(from.getBatch()), signature(from.getSignature())};
  }

  pbft::Prepare read(schema::Prepare::Reader from) {
    return {from.getEpoch(), from.getView(), from.getSeq(), digest(from.getDigest()),
            signature(from.getSignature())};
  }

  pbft::Commit read(schema::Commit::Reader from) {
    return {from.getEpoch(), from.getView(), from.getSeq(), digest(from.getDigest())};
  }

  pbft::Vote read(schema::Vote::Reader from) {
    return {from.getSigner(), signature(from.getSignature())};
  }

  pbft::Certificate read(schema::Certificate::Reader from) {
    return {from.getEpoch(), from.getView(), from.getSeq(), digest(from.getDigest()),
            list("votes", from.getVotes(), limits::kMembers)};
  }

  // ------------------------------------------------------------ checkpoints and view changes

  pbft::Checkpoint read(schema::Checkpoint::Reader from) {
    return {from.getEpoch(), from.getSeq(), digest(from.getDigest()),
            signature(from.getSignature())};
  }

  pbft::StableCheckpoint read(schema::StableCheckpoint::Reader from) {
    return {from.getEpoch(), from.getSeq(), digest(from.getDigest()),
            list("votes", from.getVotes(), limits::kMembers)};
  }

  pbft::ViewChange read(schema::ViewChange::Reader from) {
    return {from.getSender(),
            from.getEpoch(),
            from.getView(),
            read(from.getStable()),
            list("prepared certificates", from.getPrepared(), pbft::kWindow),
            signature(from.getSignature())};
  }

  pbft::Reproposal read(schema::Reproposal::Reader from) {
    return {from.getSeq(), digest(from.getDigest()), signature(from.getSignature())};
  }

  pbft::NewView read(schema::NewView::Reader from) {
    return {from.getEpoch(), from.getView(),
            list("view changes", from.getViewChanges(), limits::kMembers),
            list("reproposals", from.getReproposals(), pbft::kWindow),
            signature(from.getSignature())};
  }

  // ------------------------------------------------------------ keeping up

  pbft::Status read(schema::Status::Reader from) {
    pbft::Status status;
    status.epoch = from.getEpoch();
    status.view = from.getView();
    status.active = from.getActive();
    status.stable = from.getStable();
    status.prepared = from.getPrepared();
    status.decided = from.getDecided();
    status.checkpoint = from.getCheckpoint();
    status.incarnation = from.getIncarnation();
    status.returning = from.getReturning();
    status.horizon = from.getHorizon();
    status.wants = from.getWants();
    return status;
  }

  pbft::FetchBatches::Wanted read(schema::FetchBatches::Wanted::Reader from) {
    return {from.getSeq(), digest(from.getDigest())};
  }

  pbft::FetchBatches read(schema::FetchBatches::Reader from) {
    return {list("wanted batches", from.getWanted(), limits::kSlotsPerMessage)};
  }

  pbft::Batches read(schema::Batches::Reader from) {
    return {list("batches", from.getContents(), limits::kSlotsPerMessage)};
  }

  pbft::FetchCalls read(schema::FetchCalls::Reader from) {
    return {digests(from.getDigests(), limits::kFetchedCalls)};
  }

  pbft::DecidedDigests read(schema::DecidedDigests::Reader from) {
    return {from.getFirst(), digests(from.getDigests(), limits::kSlotsPerMessage)};
  }

  pbft::Shown read(schema::Shown::Reader from) {
    return {from.getAnswers(),
            read(from.getStable()),
            list("prepares", from.getPrepares(), limits::kShown),
            list("pre-prepares", from.getPrePrepares(), limits::kShown),
            list("checkpoints", from.getCheckpoints(), limits::kShown),
            list("view changes", from.getViewChanges(), limits::kShown)};
  }

  // ------------------------------------------------------------ the log

  pbft::Accepted read(schema::Accepted::Reader from) {
    return {from.getEpoch(), from.getView(), digest(from.getDigest()), read(from.getContent()),
            signature(from.getSignature())};
  }

  pbft::Decided read(schema::Decided::Reader from) {
    return {from.getView(),      digest(from.getDigest()), read(from.getContent()),
            from.getTimestamp(), from.getLastIndex(),      digest(from.getChain())};
  }

  pbft::Founding read(schema::Founding::Reader from) {
    return {{.keep = Duration(from.getKeyKeep()),
             .entries = from.getKeyEntries(),
             .bytes = from.getKeyBytes()}};
  }

  // ------------------------------------------------------------ beside consensus

  Hello read(schema::Hello::Reader from) {
    return {from.getProtocolVersion(),
            name(from.getCluster()),
            from.getNode(),
            from.getEpoch(),
            digest(from.getMembership()),
            digest(from.getAgreedConfiguration()),
            digest(from.getMethodsTable()),
            name(from.getSoftwareVersion())};
  }

  Replies::Result read(schema::Replies::Result::Reader from) {
    return {from.getNumber(), digest_if_any(from.getDigest())};
  }

  Replies read(schema::Replies::Reader from) {
    return {from.getIncarnation(), list("results", from.getResults(), limits::kReplies)};
  }

  OperationId read(schema::CallId::Reader from) {
    return {from.getOrigin(), from.getIncarnation(), from.getNumber()};
  }

  FetchAnswers read(schema::FetchAnswers::Reader from) {
    return {list("calls", from.getCalls(), limits::kFetchedAnswers), from.getDigestsOnly()};
  }

  Answers::Answer read(schema::Answers::Answer::Reader from) {
    return {read(from.getCall()), digest_if_any(from.getDigest()), payload(from.getPayload())};
  }

  Answers read(schema::Answers::Reader from) {
    return {list("answers", from.getAnswers(), limits::kFetchedAnswers)};
  }

  Disputes read(schema::Disputes::Reader from) {
    return {list("calls", from.getCalls(), limits::kFetchedAnswers)};
  }

  AppState read(schema::AppState::Reader from) {
    return {from.getReady(), from.getQuarantinedAt()};
  }

  ReadAnswers::Answer read(schema::ReadAnswers::Answer::Reader from) {
    return {from.getPosition(), digest_if_any(from.getDigest()), payload(from.getPayload())};
  }

  ReadAnswers read(schema::ReadAnswers::Reader from) {
    return {from.getIncarnation(), from.getNumber(),
            list("answers", from.getAnswers(), limits::kBarrierReads)};
  }

  Barrier::Read read(schema::Barrier::Read::Reader from) {
    return {name(from.getListener()), name(from.getMethod()), payload(from.getPayload())};
  }

  Barrier read(schema::Barrier::Reader from) {
    Barrier barrier;
    const auto readers = from.getReaders();
    limit("readers", readers.size(), limits::kMembers);
    for (const NodeId reader : readers) barrier.readers.push_back(reader);
    barrier.reads = list("reads", from.getReads(), limits::kBarrierReads);
    barrier.whole = from.getWhole();
    return barrier;
  }

 private:
  const Bytes& owner_;
  std::size_t calls_ = 0;
};

}  // namespace

PeerMessage read(schema::PeerMessage::Reader from, const Bytes& owner) {
  Reading reading(owner);
  switch (from.which()) {
    case schema::PeerMessage::HELLO:
      return reading.read(from.getHello());
    case schema::PeerMessage::PING:
      return Ping{};
    case schema::PeerMessage::REPLIES:
      return AnswerMessage(reading.read(from.getReplies()));
    case schema::PeerMessage::FETCH_ANSWERS:
      return AnswerMessage(reading.read(from.getFetchAnswers()));
    case schema::PeerMessage::ANSWERS:
      return AnswerMessage(reading.read(from.getAnswers()));
    case schema::PeerMessage::DISPUTES:
      return AnswerMessage(reading.read(from.getDisputes()));
    case schema::PeerMessage::APP_STATE:
      return AnswerMessage(reading.read(from.getAppState()));
    case schema::PeerMessage::READ_ANSWERS:
      return AnswerMessage(reading.read(from.getReadAnswers()));
    case schema::PeerMessage::BUNDLE:
      return Message(reading.read(from.getBundle()));
    case schema::PeerMessage::PRE_PREPARE:
      return Message(reading.read(from.getPrePrepare()));
    case schema::PeerMessage::PREPARE:
      return Message(reading.read(from.getPrepare()));
    case schema::PeerMessage::COMMIT:
      return Message(reading.read(from.getCommit()));
    case schema::PeerMessage::CHECKPOINT:
      return Message(reading.read(from.getCheckpoint()));
    case schema::PeerMessage::STABLE_CHECKPOINT:
      return Message(reading.read(from.getStableCheckpoint()));
    case schema::PeerMessage::VIEW_CHANGE:
      return Message(reading.read(from.getViewChange()));
    case schema::PeerMessage::NEW_VIEW:
      return Message(reading.read(from.getNewView()));
    case schema::PeerMessage::STATUS:
      return Message(reading.read(from.getStatus()));
    case schema::PeerMessage::FETCH_BATCHES:
      return Message(reading.read(from.getFetchBatches()));
    case schema::PeerMessage::BATCHES:
      return Message(reading.read(from.getBatches()));
    case schema::PeerMessage::FETCH_CALLS:
      return Message(reading.read(from.getFetchCalls()));
    case schema::PeerMessage::DECIDED_DIGESTS:
      return Message(reading.read(from.getDecidedDigests()));
    case schema::PeerMessage::SHOWN:
      return Message(reading.read(from.getShown()));
  }
  throw Malformed("a message of unknown type " +
                  std::to_string(static_cast<unsigned>(from.which())));
}

Record read(schema::Record::Reader from, const Bytes& owner) {
  Reading reading(owner);
  switch (from.which()) {
    case schema::Record::ACCEPTED:
      return reading.read(from.getAccepted());
    case schema::Record::PREPARED:
      return reading.read(from.getPrepared());
    case schema::Record::DECIDED:
      return reading.read(from.getDecided());
    case schema::Record::VIEW_CHANGE:
      return reading.read(from.getViewChange());
    case schema::Record::NEW_VIEW:
      return reading.read(from.getNewView());
    case schema::Record::STABLE_CHECKPOINT:
      return reading.read(from.getStableCheckpoint());
    case schema::Record::FOUNDING:
      return reading.read(from.getFounding());
  }
  throw Malformed("a record of unknown kind " +
                  std::to_string(static_cast<unsigned>(from.which())));
}

Barrier read(schema::Barrier::Reader from, const Bytes& owner) { return Reading(owner).read(from); }

}  // namespace zap::wire
