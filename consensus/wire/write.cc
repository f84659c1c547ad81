#include "consensus/wire/write.h"

namespace zap::wire {

namespace {

using std::size_t;

capnp::Data::Reader data(std::string_view bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}
capnp::Data::Reader data(const Digest& digest) {
  return {digest.bytes.data(), digest.bytes.size()};
}
capnp::Data::Reader data(const Signature& signature) {
  return {signature.bytes.data(), signature.bytes.size()};
}
capnp::Text::Reader text(const std::string& string) { return {string.c_str(), string.size()}; }

/// `blob` has room for all of them.
void put_digests(const std::vector<Digest>& digests, capnp::Data::Builder blob) {
  kj::byte* to = blob.begin();
  for (const Digest& digest : digests) {
    to = std::copy(digest.bytes.begin(), digest.bytes.end(), to);
  }
}
unsigned bytes_of(const std::vector<Digest>& digests) {
  return static_cast<unsigned>(digests.size() * sizeof(Digest::bytes));
}

struct Writing {
  /// Fills a list made by an init function of the schema: fill(from, [&](auto n) { return init(n);
  /// }).
  template <typename T, typename Init>
  static void put_list(const std::vector<T>& from, Init init) {
    auto list = init(static_cast<unsigned>(from.size()));
    for (unsigned i = 0; i < from.size(); ++i) put(from[i], list[i]);
  }

  // ---------------------------------------------------------------- calls

  static void put(const CallPtr& call, schema::Call::Builder to) {
    const Operation& operation = call->operation;
    to.setOrigin(operation.id.origin);
    to.setIncarnation(operation.id.incarnation);
    to.setNumber(operation.id.number);
    to.setDeadline(operation.deadline);
    to.setListener(text(operation.listener));
    to.setMethod(text(operation.method));
    to.setPayload(data(operation.payload.view()));
    if (operation.once) {
      put_digests({operation.once->key, operation.once->fingerprint},
                  to.initOnce(2 * sizeof(Digest::bytes)));
    }
    to.setKind(static_cast<std::uint8_t>(operation.kind));
  }

  static void put(const pbft::Bundle& bundle, schema::Bundle::Builder to) {
    const pbft::BundleProof& proof = *bundle.proof;
    to.setOrigin(proof.origin);
    to.setIncarnation(proof.incarnation);
    to.setFirstNumber(proof.first_number);
    put_digests(proof.digests, to.initDigests(bytes_of(proof.digests)));
    to.setSignature(data(proof.signature));
    put_list(bundle.calls, [&](unsigned n) { return to.initCalls(n); });
  }

  static void put(const pbft::Batch& batch, schema::Batch::Builder to) {
    to.setTimestamp(batch.timestamp);
    put_digests(batch.calls, to.initCalls(bytes_of(batch.calls)));
  }

  static void put(const pbft::BatchContent& content, schema::BatchContent::Builder to) {
    to.setSeq(content.seq);
    put(content.batch, to.initBatch());
    put_list(content.calls, [&](unsigned n) { return to.initCalls(n); });
  }

  // ---------------------------------------------------------------- the normal case

  static void put(const pbft::PrePrepare& message, schema::PrePrepare::Builder to) {
    to.setEpoch(message.epoch);
    to.setView(message.view);
    to.setSeq(message.seq);
    to.setDigest(data(message.digest));
    put(message.batch, to.initBatch());
    to.setSignature(data(message.signature));
  }

  static void put(const pbft::Prepare& message, schema::Prepare::Builder to) {
    to.setEpoch(message.epoch);
    to.setView(message.view);
    to.setSeq(message.seq);
    to.setDigest(data(message.digest));
    to.setSignature(data(message.signature));
  }

  static void put(const pbft::Commit& message, schema::Commit::Builder to) {
    to.setEpoch(message.epoch);
    to.setView(message.view);
    to.setSeq(message.seq);
    to.setDigest(data(message.digest));
  }

  static void put(const pbft::Vote& vote, schema::Vote::Builder to) {
    to.setSigner(vote.signer);
    to.setSignature(data(vote.signature));
  }

  static void put(const pbft::Certificate& certificate, schema::Certificate::Builder to) {
    to.setEpoch(certificate.epoch);
    to.setView(certificate.view);
    to.setSeq(certificate.seq);
    to.setDigest(data(certificate.digest));
    put_list(certificate.votes, [&](unsigned n) { return to.initVotes(n); });
  }

  // ---------------------------------------------------------------- checkpoints and view changes

  static void put(const pbft::Checkpoint& message, schema::Checkpoint::Builder to) {
    to.setEpoch(message.epoch);
    to.setSeq(message.seq);
    to.setDigest(data(message.digest));
    to.setSignature(data(message.signature));
  }

  static void put(const pbft::StableCheckpoint& message, schema::StableCheckpoint::Builder to) {
    to.setEpoch(message.epoch);
    to.setSeq(message.seq);
    to.setDigest(data(message.digest));
    put_list(message.votes, [&](unsigned n) { return to.initVotes(n); });
  }

  static void put(const pbft::ViewChange& message, schema::ViewChange::Builder to) {
    to.setSender(message.sender);
    to.setEpoch(message.epoch);
    to.setView(message.view);
    put(message.stable, to.initStable());
    put_list(message.prepared, [&](unsigned n) { return to.initPrepared(n); });
    to.setSignature(data(message.signature));
  }

  static void put(const pbft::Reproposal& reproposal, schema::Reproposal::Builder to) {
    to.setSeq(reproposal.seq);
    to.setDigest(data(reproposal.digest));
    to.setSignature(data(reproposal.signature));
  }

  static void put(const pbft::NewView& message, schema::NewView::Builder to) {
    to.setEpoch(message.epoch);
    to.setView(message.view);
    put_list(message.view_changes, [&](unsigned n) { return to.initViewChanges(n); });
    put_list(message.reproposals, [&](unsigned n) { return to.initReproposals(n); });
    to.setSignature(data(message.signature));
  }

  // ---------------------------------------------------------------- keeping up

  static void put(const pbft::Status& message, schema::Status::Builder to) {
    to.setEpoch(message.epoch);
    to.setView(message.view);
    to.setActive(message.active);
    to.setStable(message.stable);
    to.setPrepared(message.prepared);
    to.setDecided(message.decided);
    to.setCheckpoint(message.checkpoint);
    to.setIncarnation(message.incarnation);
    to.setReturning(message.returning);
    to.setHorizon(message.horizon);
    to.setWants(message.wants);
  }

  static void put(const pbft::FetchBatches::Wanted& wanted,
                  schema::FetchBatches::Wanted::Builder to) {
    to.setSeq(wanted.seq);
    to.setDigest(data(wanted.digest));
  }

  static void put(const pbft::FetchBatches& message, schema::FetchBatches::Builder to) {
    put_list(message.wanted, [&](unsigned n) { return to.initWanted(n); });
  }

  static void put(const pbft::Batches& message, schema::Batches::Builder to) {
    put_list(message.contents, [&](unsigned n) { return to.initContents(n); });
  }

  static void put(const pbft::FetchCalls& message, schema::FetchCalls::Builder to) {
    put_digests(message.digests, to.initDigests(bytes_of(message.digests)));
  }

  static void put(const pbft::DecidedDigests& message, schema::DecidedDigests::Builder to) {
    to.setFirst(message.first);
    put_digests(message.digests, to.initDigests(bytes_of(message.digests)));
  }

  static void put(const pbft::Shown& message, schema::Shown::Builder to) {
    to.setAnswers(message.answers);
    put(message.stable, to.initStable());
    put_list(message.prepares, [&](unsigned n) { return to.initPrepares(n); });
    put_list(message.pre_prepares, [&](unsigned n) { return to.initPrePrepares(n); });
    put_list(message.checkpoints, [&](unsigned n) { return to.initCheckpoints(n); });
    put_list(message.view_changes, [&](unsigned n) { return to.initViewChanges(n); });
  }

  // ---------------------------------------------------------------- the log

  static void put(const pbft::Accepted& record, schema::Accepted::Builder to) {
    to.setEpoch(record.epoch);
    to.setView(record.view);
    to.setDigest(data(record.digest));
    put(record.content, to.initContent());
    to.setSignature(data(record.signature));
  }

  static void put(const pbft::Decided& record, schema::Decided::Builder to) {
    to.setView(record.view);
    to.setDigest(data(record.digest));
    put(record.content, to.initContent());
    to.setTimestamp(record.timestamp);
    to.setLastIndex(record.last_index);
    to.setChain(data(record.chain));
  }

  static void put(const pbft::Founding& record, schema::Founding::Builder to) {
    to.setKeyKeep(record.keys.keep.count());
    to.setKeyEntries(record.keys.entries);
    to.setKeyBytes(record.keys.bytes);
  }

  // ---------------------------------------------------------------- beside consensus

  static void put(const Replies::Result& result, schema::Replies::Result::Builder to) {
    to.setNumber(result.number);
    if (result.digest) to.setDigest(data(*result.digest));
  }

  static void put(const Replies& replies, schema::Replies::Builder to) {
    to.setIncarnation(replies.incarnation);
    put_list(replies.results, [&](unsigned n) { return to.initResults(n); });
  }

  static void put(const OperationId& id, schema::CallId::Builder to) {
    to.setOrigin(id.origin);
    to.setIncarnation(id.incarnation);
    to.setNumber(id.number);
  }

  static void put(const FetchAnswers& fetch, schema::FetchAnswers::Builder to) {
    put_list(fetch.calls, [&](unsigned n) { return to.initCalls(n); });
    to.setDigestsOnly(fetch.digests_only);
  }

  static void put(const Answers::Answer& answer, schema::Answers::Answer::Builder to) {
    put(answer.call, to.initCall());
    if (answer.digest) to.setDigest(data(*answer.digest));
    to.setPayload(data(answer.payload.view()));
  }

  static void put(const Answers& answers, schema::Answers::Builder to) {
    put_list(answers.answers, [&](unsigned n) { return to.initAnswers(n); });
  }

  static void put(const Disputes& disputes, schema::Disputes::Builder to) {
    put_list(disputes.calls, [&](unsigned n) { return to.initCalls(n); });
  }

  static void put(const AppState& state, schema::AppState::Builder to) {
    to.setReady(state.ready);
    to.setQuarantinedAt(state.quarantined_at);
  }

  static void put(const ReadAnswers::Answer& answer, schema::ReadAnswers::Answer::Builder to) {
    to.setPosition(answer.position);
    if (answer.digest) to.setDigest(data(*answer.digest));
    to.setPayload(data(answer.payload.view()));
  }

  static void put(const ReadAnswers& answers, schema::ReadAnswers::Builder to) {
    to.setIncarnation(answers.incarnation);
    to.setNumber(answers.number);
    put_list(answers.answers, [&](unsigned n) { return to.initAnswers(n); });
  }

  static void put(const Barrier::Read& read, schema::Barrier::Read::Builder to) {
    to.setListener(text(read.listener));
    to.setMethod(text(read.method));
    to.setPayload(data(read.payload.view()));
  }

  static void put(const Barrier& barrier, schema::Barrier::Builder to) {
    auto readers = to.initReaders(static_cast<unsigned>(barrier.readers.size()));
    for (unsigned i = 0; i < barrier.readers.size(); ++i) readers.set(i, barrier.readers[i]);
    put_list(barrier.reads, [&](unsigned n) { return to.initReads(n); });
    to.setWhole(barrier.whole);
  }
};

/// One overload a message: which member of the union it becomes.
struct IntoMessage {
  schema::PeerMessage::Builder to;
  void operator()(const pbft::Bundle& m) { Writing::put(m, to.initBundle()); }
  void operator()(const pbft::PrePrepare& m) { Writing::put(m, to.initPrePrepare()); }
  void operator()(const pbft::Prepare& m) { Writing::put(m, to.initPrepare()); }
  void operator()(const pbft::Commit& m) { Writing::put(m, to.initCommit()); }
  void operator()(const pbft::Checkpoint& m) { Writing::put(m, to.initCheckpoint()); }
  void operator()(const pbft::StableCheckpoint& m) { Writing::put(m, to.initStableCheckpoint()); }
  void operator()(const pbft::ViewChange& m) { Writing::put(m, to.initViewChange()); }
  void operator()(const pbft::NewView& m) { Writing::put(m, to.initNewView()); }
  void operator()(const pbft::Status& m) { Writing::put(m, to.initStatus()); }
  void operator()(const pbft::FetchBatches& m) { Writing::put(m, to.initFetchBatches()); }
  void operator()(const pbft::Batches& m) { Writing::put(m, to.initBatches()); }
  void operator()(const pbft::FetchCalls& m) { Writing::put(m, to.initFetchCalls()); }
  void operator()(const pbft::DecidedDigests& m) { Writing::put(m, to.initDecidedDigests()); }
  void operator()(const pbft::Shown& m) { Writing::put(m, to.initShown()); }
  void operator()(const Replies& m) { Writing::put(m, to.initReplies()); }
  void operator()(const FetchAnswers& m) { Writing::put(m, to.initFetchAnswers()); }
  void operator()(const Answers& m) { Writing::put(m, to.initAnswers()); }
  void operator()(const Disputes& m) { Writing::put(m, to.initDisputes()); }
  void operator()(const AppState& m) { Writing::put(m, to.initAppState()); }
  void operator()(const ReadAnswers& m) { Writing::put(m, to.initReadAnswers()); }
};

struct IntoRecord {
  schema::Record::Builder to;
  void operator()(const pbft::Accepted& r) { Writing::put(r, to.initAccepted()); }
  void operator()(const pbft::Certificate& r) { Writing::put(r, to.initPrepared()); }
  void operator()(const pbft::Decided& r) { Writing::put(r, to.initDecided()); }
  void operator()(const pbft::ViewChange& r) { Writing::put(r, to.initViewChange()); }
  void operator()(const pbft::NewView& r) { Writing::put(r, to.initNewView()); }
  void operator()(const pbft::StableCheckpoint& r) { Writing::put(r, to.initStableCheckpoint()); }
  void operator()(const pbft::Founding& r) { Writing::put(r, to.initFounding()); }
};

}  // namespace

void write(const Hello& hello, schema::Hello::Builder to) {
  to.setProtocolVersion(hello.protocol_version);
  to.setCluster(text(hello.cluster));
  to.setNode(hello.node);
  to.setEpoch(hello.epoch);
  to.setMembership(data(hello.membership));
  to.setAgreedConfiguration(data(hello.agreed_configuration));
  to.setMethodsTable(data(hello.methods_table));
  to.setSoftwareVersion(text(hello.software_version));
}

void write(const AnswerMessage& message, schema::PeerMessage::Builder to) {
  std::visit(IntoMessage{to}, message);
}

void write(const Message& message, schema::PeerMessage::Builder to) {
  std::visit(IntoMessage{to}, message);
}

void write(const Record& record, schema::Record::Builder to) { std::visit(IntoRecord{to}, record); }

void write(const Barrier& barrier, schema::Barrier::Builder to) { Writing::put(barrier, to); }

}  // namespace zap::wire
