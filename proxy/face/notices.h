// proxy/face/notices.h - what the engine wants an operator to know, as log lines and metrics.
//
// Threads: lives on the main loop.

#pragma once

#include "consensus/engine.h"
#include "core/membership.h"
#include "proxy/face/metrics.h"
#include "proxy/log/evidence.h"

namespace zap {

/// Evidence of a lie is kept first; what is not new is not told again.
void report(const Notice& notice, const Membership& membership, Metrics& metrics,
            Evidence& evidence);

}  // namespace zap
