// consensus/wire/codec.h - messages and records to bytes and back: Cap'n Proto behind one door.
//
// Decoding trusts nothing: sizes are limited before anything is allocated (core/limits.h), so that
// a few hostile bytes never cost more memory than an honest frame of their size. Payloads of
// decoded calls are slices of the bytes given and keep them alive. What decodes may still be
// nonsense: signatures_to_verify (consensus/pbft/statement.h) is the next check.
//
// Threads: any.

#pragma once

#include "consensus/engine.h"
#include "consensus/wire/barrier.h"
#include "consensus/wire/peer_messages.h"
#include "core/bytes.h"
#include "core/result.h"

namespace zap::wire {

/// One frame's body; its length in front is the link's business.
Bytes encode(const Message& message);
Bytes encode(const Hello& hello);
Bytes encode(const Ping& ping);
Bytes encode(const AnswerMessage& message);

/// Bytes longer than limits::kFrameBytes, or with longer lists than limits.h allows, are refused.
Result<PeerMessage> decode(Bytes frame);

/// What the payload of an operation of kind kBarrier holds.
Bytes encode(const Barrier& barrier);
Result<Barrier> decode_barrier(Bytes bytes);

/// One record of the log; its checksum is the store's business.
Bytes encode_record(const Record& record);
Result<Record> decode_record(Bytes bytes);

}  // namespace zap::wire
