// consensus/wire/peer_messages.h - what peers say to each other beside consensus.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "consensus/engine.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"

namespace zap::wire {

/// Raised when two versions no longer understand each other.
inline constexpr std::uint32_t kProtocolVersion = 1;

/// The first frame in each direction. What must be equal is compared, and a difference named.
struct Hello {
  std::uint32_t protocol_version = kProtocolVersion;
  ClusterId cluster;
  NodeId node = 0;
  Epoch epoch = 0;
  Digest membership;            ///< must be equal in equal epochs
  Digest agreed_configuration;  ///< idempotency, compare, ignore: must be equal
  Digest methods_table;         ///< a difference is reported and tolerated
  std::string software_version;
  friend bool operator==(const Hello&, const Hello&) = default;
};

/// Says that the link lives where nothing else does.
struct Ping {
  friend bool operator==(const Ping&, const Ping&) = default;
};

// What nodes tell each other about the answers of their applications (proxy/answers).

/// To an origin: what its calls came to at the sender's application, as digests to compare.
struct Replies {
  struct Result {
    std::uint64_t number = 0;      ///< the call's, in the origin's `incarnation`
    std::optional<Digest> digest;  ///< Reply::compared; none: executed, nothing to compare
    friend bool operator==(const Result&, const Result&) = default;
  };
  Incarnation incarnation = 0;
  std::vector<Result> results;
  friend bool operator==(const Replies&, const Replies&) = default;
};

/// Asks for the sender's answers to these calls.
struct FetchAnswers {
  std::vector<OperationId> calls;
  bool digests_only = false;
  friend bool operator==(const FetchAnswers&, const FetchAnswers&) = default;
};

/// What was asked for.
struct Answers {
  struct Answer {
    OperationId call;
    std::optional<Digest> digest;  ///< none: not executed, or forgotten
    Bytes payload;                 ///< Reply::payload; empty where only digests were asked for
    friend bool operator==(const Answer&, const Answer&) = default;
  };
  std::vector<Answer> answers;
  friend bool operator==(const Answers&, const Answers&) = default;
};

/// From an origin: q nodes gave the same answer to each of these calls, and yours is another one.
/// A reason to ask them, nothing more.
struct Disputes {
  std::vector<OperationId> calls;
  friend bool operator==(const Disputes&, const Disputes&) = default;
};

/// How the sender's application does: said on every connection, and when it changes.
struct AppState {
  bool ready = false;
  Index quarantined_at = 0;  ///< the first index at which it diverged; 0: not quarantined
  friend bool operator==(const AppState&, const AppState&) = default;
};

/// To an origin: what the reads of one of its barriers came to at the sender.
struct ReadAnswers {
  struct Answer {
    std::uint32_t position = 0;    ///< of the read, in the barrier
    std::optional<Digest> digest;  ///< Reply::compared; none: it could not be run there
    Bytes payload;                 ///< Reply::payload, where the barrier asks for it
    friend bool operator==(const Answer&, const Answer&) = default;
  };
  Incarnation incarnation = 0;
  std::uint64_t number = 0;  ///< the barrier's, in the origin's `incarnation`
  std::vector<Answer> answers;
  friend bool operator==(const ReadAnswers&, const ReadAnswers&) = default;
};

using AnswerMessage = std::variant<Replies, FetchAnswers, Answers, Disputes, AppState, ReadAnswers>;

using PeerMessage = std::variant<Hello, Ping, AnswerMessage, Message>;

}  // namespace zap::wire
