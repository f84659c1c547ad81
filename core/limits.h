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

// ---------------------------------------------------------------- clients
// (proxy/client_connection)

/// Calls of one connection that wait for their answers: beyond it, the connection is not read.
inline constexpr std::size_t kClientCalls = 128;
/// Received from one client and not yet understood: likewise.
inline constexpr std::size_t kClientInputBytes = 256u << 10;
/// Answers that one client has not taken: likewise.
inline constexpr std::size_t kClientOutputBytes = 4u << 20;
/// Answers that clients have not taken, over all of them: beyond it whoever has most is closed.
inline constexpr std::size_t kAllClientsOutputBytes = 256u << 20;
/// What an answer is taken to be before one is seen, in the bound for a connection's output: calls
/// that wait count with the size of those answered before.
inline constexpr std::size_t kFirstAnswerBytes = kClientOutputBytes / 8;
/// A silent client is closed after this and the longest time-out of a call.
inline constexpr Duration kClientIdleTime = std::chrono::minutes(2);
/// A client for whom output waits and who takes none of it for so long is closed.
inline constexpr Duration kClientStuckTime = std::chrono::seconds(30);
/// Whoever has been sent its last answer is given so long to close its own half.
inline constexpr Duration kLingerTime = std::chrono::seconds(2);
/// Connections that a listener takes before whoever is connected gets a turn.
inline constexpr unsigned kAcceptsPerTurn = 8;
/// Beyond limits.connections: so many more are told why, for so long; others are just closed.
inline constexpr std::size_t kRefusedClients = 64;
inline constexpr Duration kRefusedClientTime = std::chrono::seconds(2);
/// Connections to the admin address.
inline constexpr std::size_t kAdminConnections = 64;
/// Open files beside all connections that have a bound of their own: peers, segments, libraries.
inline constexpr std::size_t kOtherFiles = 256;

// ---------------------------------------------------------------- ordering (proxy/router)

/// Payload in one submit, and so in one bundle: a turn that brought more submits several times.
inline constexpr std::size_t kSubmitBytes = 8u << 20;
/// Answers gather for a peer while the application has more calls to answer.
inline constexpr Duration kReplyGatherTime = std::chrono::milliseconds(3);
/// Reads in one barrier: a turn that brought more has several.
inline constexpr std::size_t kBarrierReads = 1'024;
/// The calls behind a barrier wait no longer for its reads.
inline constexpr Duration kReadInPlaceTime = std::chrono::seconds(10);
/// A node that did not run a barrier's reads in time is not asked for so long.
inline constexpr Duration kLateReaderRest = std::chrono::seconds(10);
/// Answers to calls with idempotency keys that are kept beside one application: the oldest go.
inline constexpr std::size_t kKeptAnswerBytes = 64'000'000;
/// Local reads that wait for their Zap-Min-Index: more are refused.
inline constexpr std::size_t kReadsWaitingForIndex = 4'096;
/// Calls that the local application may lack while its clients' calls are still taken.
inline constexpr std::uint64_t kReplayAdmitted = 4'096;
/// How long this node may be behind the others likewise: for a moment everyone is, in turns.
inline constexpr Duration kBehindAdmitted = std::chrono::seconds(1);
/// Outcomes remembered for /op/{id}, of each origin.
inline constexpr std::size_t kOutcomesRemembered = 65'536;

// ---------------------------------------------------------------- answers (proxy/answers)

/// Answers kept for nodes that lack them, and their bytes: the oldest are forgotten.
inline constexpr std::size_t kRecentAnswers = 16'384;
inline constexpr std::size_t kRecentAnswerBytes = 32u << 20;
/// Calls of this node's clients that are over and wait for the last nodes' answers, to compare
/// them.
inline constexpr std::size_t kCallsCompared = 4'096;
/// How long an agreed answer waits for the local application, before another node is asked for its
/// bytes; an application that was late is not waited for in the time after.
inline constexpr Duration kLocalAnswerPatience = std::chrono::milliseconds(100);
inline constexpr Duration kLocalAnswerLate = std::chrono::seconds(1);
/// From asking one node for an answer to asking the next.
inline constexpr Duration kAnswerFetchTime = std::chrono::milliseconds(250);
/// Payload in one message of answers.
inline constexpr std::size_t kAnswersBytes = 4u << 20;
/// Disputed answers that are looked into at the same time, and how long: more wait for the next
/// dispute. An application that has diverged differs again.
inline constexpr std::size_t kInquiries = 16;
inline constexpr Duration kInquiryTime = std::chrono::seconds(2);
/// Disputes told to one node, and differing answers logged, in a second.
inline constexpr std::size_t kDisputesPerSecond = 10;
/// A new quarantine may yet be taken back, where other nodes made theirs at the same moment: so
/// long the application is not restarted.
inline constexpr Duration kQuarantineSettles = std::chrono::seconds(1);

// ---------------------------------------------------------------- the log (proxy/log_keeper)

/// Peers and applications that wait to be read to from the log: more ask again later.
inline constexpr std::size_t kLogReadsWaiting = 256;
/// Of these, for one peer: what it asks for beyond waits in nobody's way, the application's least.
inline constexpr std::size_t kLogReadsPerPeer = 4;
/// Proofs kept that one member lies: the first convinces, and each costs a sync on the main loop.
inline constexpr std::size_t kEvidencePerMember = 16;

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
/// Calls in one message of any kind.
inline constexpr std::size_t kCallsPerMessage = 65'536;
/// Digests of calls in one fetch.
inline constexpr std::size_t kFetchedCalls = kBatchCalls;
/// Slots in one fetch, batches or decided-digests message.
inline constexpr std::size_t kSlotsPerMessage = 1'024;
/// Votes in one certificate, and view changes in one new view: members of one cluster.
inline constexpr std::size_t kMembers = 64;
/// Messages of each kind in one Shown: the newest suffice.
inline constexpr std::size_t kShown = 4;
/// Results in one Replies message.
inline constexpr std::size_t kReplies = 16'384;
/// Answers in one message, and answers or disputed calls asked for in one.
inline constexpr std::size_t kFetchedAnswers = 1'024;

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
/// Accepted connections that have not said hello yet, from members' addresses and from others
/// each: beyond it one from the address that has most is closed.
inline constexpr std::size_t kStrangers = 64;
/// From accept or dial to the peer's hello.
inline constexpr Duration kHelloTime = std::chrono::seconds(5);
/// A link that had nothing to say for so long says that it lives; one that is silent for
/// kPeerSilence is dead.
inline constexpr Duration kPingTime = std::chrono::seconds(1);
inline constexpr Duration kPeerSilence = std::chrono::seconds(5);
/// A peer that failed the gate too often is not admitted again for so long.
inline constexpr Duration kPeerPenalty = std::chrono::seconds(5);
/// Pauses between two attempts to dial: doubling, the real one drawn from its upper half.
inline constexpr Duration kRedialFirst = std::chrono::milliseconds(50);
inline constexpr Duration kRedialMost = std::chrono::seconds(2);
/// Lines a second in the log about connections that were refused; the rest is counted.
inline constexpr unsigned kRefusalsLogged = 10;

}  // namespace zap::limits
