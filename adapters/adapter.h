// adapters/adapter.h - one protocol of clients and applications: bytes in, calls and answers out.
//
// A Protocol makes two kinds of session. A ClientSession turns what one client connection sends
// into calls and gives their answers back in the protocol's order. An AppSession hands calls to
// the application over one connection and turns what it sends back into Replies. Between the two
// a call is a payload: bytes that the AppSession can deliver as they stand, on every node, with no
// second parse. A session knows nothing of routing, ordering or time.
//
// No loops, no sockets, no threads: a session lives where its connection lives, and whoever owns
// the connection feeds it and writes what it appends to an Output.

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/output.h"
#include "adapters/proxy_error.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/operation.h"
#include "core/result.h"
#include "core/time.h"

namespace zap {

// ---------------------------------------------------------------------------------- clients

/// What a client asked to happen once only.
struct IdempotencyKey {
  std::string text;
  Digest scope;        ///< method, path, Authorization; the listener is added by whoever knows it
  Digest fingerprint;  ///< of what the client sent: the same key with another one is a misuse
};

/// A call as the methods table sees it: "POST" and "/orders/7", or a Redis command and nothing.
struct MethodName {
  std::string verb;
  std::string path;  ///< decoded, without its query
};

struct ClientCall {
  std::uint64_t sequence = 0;  ///< names the call to its session; counts from 1
  MethodName method;
  bool read = false;  ///< the protocol promises that it changes nothing (HTTP: GET, HEAD, OPTIONS)
  Bytes payload;      ///< what AppSession::deliver takes, on any node
  std::optional<IdempotencyKey> key;
  std::optional<Index> min_index;  ///< read your writes: wait until this index is applied
  std::string parent_operation;    ///< the operation that made this call, if it says so: a loop
};

/// An application's answer, with what the sidecar tells the client about the call.
struct Answer {
  Bytes payload;               ///< Reply::payload
  std::optional<Index> index;  ///< of the call, or for a read the last one applied before it
  std::optional<View> view;
  std::string operation_id;  ///< "node1-7-1042"; empty for reads
};

class ClientSession {
 public:
  virtual ~ClientSession() = default;

  /// Takes what the client sent, in pieces of any size, off the front of `bytes`, and returns the
  /// call that it completes; what came behind that call stays in `bytes`. Nothing: all is taken,
  /// and more is needed. What is malformed or too large is answered here (after the answers due
  /// before it) and ends the session: later bytes are ignored.
  virtual std::optional<ClientCall> feed(std::string_view& bytes, Output& output) = 0;

  /// Bytes kept of a call that is not complete; 0 where none has begun.
  virtual std::size_t unfinished_bytes() const = 0;

  /// Answers the call that is not complete with `error`, as if it were malformed: the session ends.
  virtual void give_up(const ProxyError& error, Output& output) = 0;

  /// Answers may come in any order; what may be written now is appended to `output` in the order
  /// that the protocol demands. Each call is answered or refused exactly once.
  virtual void answer(std::uint64_t sequence, const Answer& answer, Output& output) = 0;
  virtual void refuse(std::uint64_t sequence, const ProxyError& error, Output& output) = 0;

  /// Calls returned by feed() and not yet answered: stop feeding above a bound.
  virtual std::size_t pending() const = 0;

  /// Answers that wait for those due before them.
  virtual std::size_t held_back_bytes() const = 0;

  /// Nothing more will be read or written: close once the output has left.
  virtual bool finished() const = 0;
};

/// 128 random bits, for request and trace ids.
using RandomId = std::array<std::uint64_t, 2>;

struct ClientSettings {
  std::size_t request_bytes = 1'000'000;  ///< greatest body; 413 beyond it
  std::size_t head_bytes = 32 * 1024;     ///< greatest head, request line included; 431 beyond it
  std::size_t header_count = 100;         ///< 431 beyond it
  std::string idempotency_header = "Idempotency-Key";
  std::string peer_address;             ///< the client's, for X-Forwarded-For; empty: not added
  std::function<RandomId()> random_id;  ///< must be set; only the origin calls it
};

// ----------------------------------------------------------------------------- applications

/// What an application is told about an ordered call. Reads are told nothing.
struct Delivery {
  Index index = 0;
  WallTime timestamp = 0;
  std::uint64_t seed = 0;
  std::string_view operation_id;  ///< "node1-7-1042"
  std::string_view node;          ///< the origin's name, "node1"
  bool replay = false;            ///< it may have been delivered before
};

/// Which parts of an answer must be equal on all nodes: a method's `compare` and `ignore`.
struct Comparison {
  enum class Mode : std::uint8_t { kFull, kStatus, kNone };
  Mode mode = Mode::kFull;
  std::vector<std::string> ignored_headers;  ///< lower case
  std::vector<std::string> ignored_paths;    ///< of JSON bodies: "$.updated_at"
};

struct AppReply {
  Reply reply;
  bool duplicate = false;  ///< it had seen this index: not to be compared
};

class AppSession {
 public:
  virtual ~AppSession() = default;

  /// How many calls may be in flight: 1 unless the protocol keeps order and says so.
  virtual std::size_t window() const = 0;

  /// Appends the bytes that hand `payload` to the application. `comparison` must outlive the reply.
  virtual void deliver(const Bytes& payload, const std::optional<Delivery>& delivery,
                       const Comparison& comparison, Output& output) = 0;

  /// Takes what the application sent and returns the replies that it completes, in the order of
  /// delivery. An error means that the application does not speak the protocol: close the
  /// connection; what is in flight counts as unanswered.
  virtual Result<std::vector<AppReply>> feed(std::string_view bytes) = 0;

  /// The application closed the connection: the reply that its end completes, if any.
  virtual std::optional<AppReply> closed() = 0;

  /// Delivered and not yet replied to.
  virtual std::size_t in_flight() const = 0;

  /// Whether another call may be delivered; false once either side has said that it will close.
  virtual bool reusable() const = 0;
};

struct AppSettings {
  std::size_t response_bytes = 1'000'000;  ///< a greater body becomes the reply `too_large`
  std::size_t head_bytes = 64 * 1024;
  std::size_t header_count = 200;
};

// --------------------------------------------------------------------------------- protocol

/// Stateless; one object a protocol for the life of the process (adapters/catalog.h).
class Protocol {
 public:
  virtual ~Protocol() = default;
  /// As the configuration names it.
  virtual std::string_view name() const = 0;
  virtual std::unique_ptr<ClientSession> client_session(ClientSettings settings) const = 0;
  virtual std::unique_ptr<AppSession> app_session(AppSettings settings) const = 0;
};

}  // namespace zap
