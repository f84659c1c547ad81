// proxy/answers/answer_reader.h - an answer that another node's application gave, read as if our
// own had given it.
//
// The same code makes the digest of both: an adapter's session, which writes an answer so that it
// reads back as what it was.
//
// Threads: any.

#pragma once

#include "adapters/adapter.h"
#include "core/operation.h"
#include "core/result.h"

namespace zap {

/// An error where the bytes are not one whole answer to the call.
Result<Reply> read_answer(const Protocol& protocol, const Call& call, const Bytes& answer,
                          const Comparison& comparison);

}  // namespace zap
