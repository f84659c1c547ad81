// proxy/log/log_serving.h - what a peer that is behind is told of decided slots, read from the log.

#pragma once

#include "consensus/engine.h"
#include "core/result.h"
#include "store/log.h"

namespace zap {

/// DecidedDigests or Batches for the slots asked for, as far as the log holds them and up to about
/// 1 MB; kNotFound where it holds none of them.
Result<Message> answer_from_log(store::Log& log, const Serve& request);

}  // namespace zap
