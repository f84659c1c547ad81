// core/limits.h - every bound in the process, on one page.
//
// A queue, a frame, a list that a peer or a client can make grow has its limit here, with what
// happens there. What an operator may set (limits: in the configuration) is only capped here.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/time.h"

namespace zap::limits {

// ---------------------------------------------------------------- the process

/// Functions posted to a loop and not run yet: posting threads wait.
inline constexpr std::size_t kMailboxTasks = 65'536;

// ---------------------------------------------------------------- peer frames (consensus/wire)

/// One frame, its header not counted: a larger one ends the connection.
inline constexpr std::size_t kFrameBytes = 32u << 20;
/// Before a peer has said who it is.
inline constexpr std::size_t kHelloFrameBytes = 64u << 10;
/// One call's payload: requests are refused above limits.request_bytes, which cannot exceed it.
inline constexpr std::size_t kPayloadBytes = 16u << 20;
/// Listener and method names, cluster ids, versions.
inline constexpr std::size_t kNameBytes = 1'024;
/// Calls in one bundle or one batch.
inline constexpr std::size_t kBatchCalls = 4'096;
/// Slots in one fetch, batches or decided-digests message.
inline constexpr std::size_t kSlotsPerMessage = 1'024;
/// Votes in one certificate, and view changes in one new view: members of one cluster.
inline constexpr std::size_t kMembers = 64;
/// Results in one Replies message.
inline constexpr std::size_t kReplies = 16'384;

// ---------------------------------------------------------------- peer links (proxy/peers)

/// Waiting for one peer: beyond it the oldest messages are dropped; status exchange repairs.
inline constexpr std::size_t kOutboxBytes = 64u << 20;
/// Received from one peer and not yet verified: beyond either, its link is not read.
inline constexpr std::size_t kGateBytesPerPeer = 16u << 20;
inline constexpr std::size_t kGateFramesPerPeer = 1'024;
/// Signatures remembered as verified: the oldest are forgotten.
inline constexpr std::size_t kVerifiedSignatures = 16'384;
/// Messages of one connection that failed the gate: then it is closed.
inline constexpr std::size_t kFailuresPerLink = 3;
/// Accepted connections that have not said hello yet: beyond it the oldest is closed.
inline constexpr std::size_t kStrangers = 64;
/// From accept or dial to the peer's hello.
inline constexpr Duration kHelloTime = std::chrono::seconds(5);

}  // namespace zap::limits
