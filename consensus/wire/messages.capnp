# consensus/wire/messages.capnp - what peers say, and what the log keeps, as bytes.
#
# The meaning of each field stands in consensus/pbft/messages.h and consensus/wire/peer_messages.h.
# Numbers here never change meaning: what is no longer said keeps its number, what is new gets the
# next. A digest is 32 bytes, a signature 64; Digests are digests one after the other.

@0xfe89d75bf1516f86;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("zap::wire::schema");

using Digest = Data;
using Digests = Data;
using Signature = Data;

# ---------------------------------------------------------------- one frame between peers

struct PeerMessage {
  union {
    hello @0 :Hello;
    ping @1 :Void;
    replies @2 :Replies;
    bundle @3 :Bundle;
    prePrepare @4 :PrePrepare;
    prepare @5 :Prepare;
    commit @6 :Commit;
    checkpoint @7 :Checkpoint;
    stableCheckpoint @8 :StableCheckpoint;
    viewChange @9 :ViewChange;
    newView @10 :NewView;
    status @11 :Status;
    fetchBatches @12 :FetchBatches;
    batches @13 :Batches;
    fetchCalls @14 :FetchCalls;
    decidedDigests @15 :DecidedDigests;
    shown @16 :Shown;
    fetchAnswers @17 :FetchAnswers;
    answers @18 :Answers;
    disputes @19 :Disputes;
    appState @20 :AppState;
    readAnswers @21 :ReadAnswers;
  }
}

# ---------------------------------------------------------------- one record of the log

struct Record {
  union {
    accepted @0 :Accepted;
    prepared @1 :Certificate;
    decided @2 :Decided;
    viewChange @3 :ViewChange;
    newView @4 :NewView;
    stableCheckpoint @5 :StableCheckpoint;
    founding @6 :Founding;
  }
}

# ---------------------------------------------------------------- between peers, beside consensus

struct Hello {
  protocolVersion @0 :UInt32;
  cluster @1 :Text;
  node @2 :UInt32;
  epoch @3 :UInt64;
  membership @4 :Digest;
  agreedConfiguration @5 :Digest;
  methodsTable @6 :Digest;
  softwareVersion @7 :Text;
}

struct Replies {
  incarnation @0 :UInt64;
  results @1 :List(Result);

  struct Result {
    number @0 :UInt64;
    digest @1 :Digest;  # empty: none
  }
}

struct CallId {
  origin @0 :UInt32;
  incarnation @1 :UInt64;
  number @2 :UInt64;
}

struct FetchAnswers {
  calls @0 :List(CallId);
  digestsOnly @1 :Bool;
}

struct Answers {
  answers @0 :List(Answer);

  struct Answer {
    call @0 :CallId;
    digest @1 :Digest;  # empty: none
    payload @2 :Data;
  }
}

struct Disputes {
  calls @0 :List(CallId);
}

struct ReadAnswers {
  incarnation @0 :UInt64;
  number @1 :UInt64;
  answers @2 :List(Answer);

  struct Answer {
    position @0 :UInt32;
    digest @1 :Digest;  # empty: none
    payload @2 :Data;
  }
}

struct AppState {
  ready @0 :Bool;
  quarantinedAt @1 :UInt64;
}

# ---------------------------------------------------------------- calls

struct Call {
  origin @0 :UInt32;
  incarnation @1 :UInt64;
  number @2 :UInt64;
  deadline @3 :Int64;
  listener @4 :Text;
  method @5 :Text;
  payload @6 :Data;
  once @7 :Digests;   # key and fingerprint; empty where the call has no key
  kind @8 :UInt8;
}

# The payload of a call of kind 1.
struct Barrier {
  readers @0 :List(UInt32);
  reads @1 :List(Read);
  whole @2 :Bool;

  struct Read {
    listener @0 :Text;
    method @1 :Text;
    payload @2 :Data;
  }
}

struct Bundle {
  origin @0 :UInt32;
  incarnation @1 :UInt64;
  firstNumber @2 :UInt64;
  digests @3 :Digests;
  signature @4 :Signature;
  calls @5 :List(Call);
}

struct Batch {
  timestamp @0 :Int64;
  calls @1 :Digests;
}

struct BatchContent {
  seq @0 :UInt64;
  batch @1 :Batch;
  calls @2 :List(Call);
}

# ---------------------------------------------------------------- the normal case

struct PrePrepare {
  epoch @0 :UInt64;
  view @1 :UInt64;
  seq @2 :UInt64;
  digest @3 :Digest;
  batch @4 :Batch;
  signature @5 :Signature;
}

struct Prepare {
  epoch @0 :UInt64;
  view @1 :UInt64;
  seq @2 :UInt64;
  digest @3 :Digest;
  signature @4 :Signature;
}

struct Commit {
  epoch @0 :UInt64;
  view @1 :UInt64;
  seq @2 :UInt64;
  digest @3 :Digest;
}

struct Vote {
  signer @0 :UInt32;
  signature @1 :Signature;
}

struct Certificate {
  epoch @0 :UInt64;
  view @1 :UInt64;
  seq @2 :UInt64;
  digest @3 :Digest;
  votes @4 :List(Vote);
}

# ---------------------------------------------------------------- checkpoints and view changes

struct Checkpoint {
  epoch @0 :UInt64;
  seq @1 :UInt64;
  digest @2 :Digest;
  signature @3 :Signature;
}

struct StableCheckpoint {
  epoch @0 :UInt64;
  seq @1 :UInt64;
  digest @2 :Digest;
  votes @3 :List(Vote);
}

struct ViewChange {
  sender @0 :UInt32;
  epoch @1 :UInt64;
  view @2 :UInt64;
  stable @3 :StableCheckpoint;
  prepared @4 :List(Certificate);
  signature @5 :Signature;
}

struct Reproposal {
  seq @0 :UInt64;
  digest @1 :Digest;
  signature @2 :Signature;
}

struct NewView {
  epoch @0 :UInt64;
  view @1 :UInt64;
  viewChanges @2 :List(ViewChange);
  reproposals @3 :List(Reproposal);
  signature @4 :Signature;
}

# ---------------------------------------------------------------- keeping up

struct Status {
  epoch @0 :UInt64;
  view @1 :UInt64;
  active @2 :Bool;
  stable @3 :UInt64;
  prepared @4 :UInt64;
  decided @5 :UInt64;
  checkpoint @6 :UInt64;
  incarnation @7 :UInt64;
  returning @8 :Bool;
  horizon @9 :UInt64;
  wants @10 :UInt64;
}

struct FetchBatches {
  wanted @0 :List(Wanted);

  struct Wanted {
    seq @0 :UInt64;
    digest @1 :Digest;
  }
}

struct Batches {
  contents @0 :List(BatchContent);
}

struct FetchCalls {
  digests @0 :Digests;
}

struct DecidedDigests {
  first @0 :UInt64;
  digests @1 :Digests;
}

struct Shown {
  answers @0 :UInt64;
  stable @1 :StableCheckpoint;
  prepares @2 :List(Prepare);
  prePrepares @3 :List(PrePrepare);
  checkpoints @4 :List(Checkpoint);
  viewChanges @5 :List(ViewChange);
}

# ---------------------------------------------------------------- the log

struct Accepted {
  epoch @0 :UInt64;
  view @1 :UInt64;
  digest @2 :Digest;
  content @3 :BatchContent;
  signature @4 :Signature;
}

struct Decided {
  view @0 :UInt64;
  digest @1 :Digest;
  content @2 :BatchContent;
  timestamp @3 :Int64;
  lastIndex @4 :UInt64;
  chain @5 :Digest;
}

struct Founding {
  keyKeep @0 :Int64;
  keyEntries @1 :UInt64;
  keyBytes @2 :UInt64;
}
