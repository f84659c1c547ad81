// config/methods.h - the methods table: what each call of a listener is.
//
// A pattern is "METHOD PATH" for HTTP, "/package.Service/Method" for gRPC, a command or method name
// for the other protocols. In a path {name} stands for one non-empty segment and ** for whatever
// follows, nothing included. Of the patterns that match a call the most specific wins: the one that
// matches a part of what the others match. Where neither of two overlapping patterns is that one,
// the table is ambiguous, and refused.
//
// Immutable once made; any thread may resolve.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace zap::config {

enum class Mode { kReplicated, kLinearizable, kLeader, kLocal, kPassthrough, kReject };

/// What a call that no pattern matches is.
enum class Unmatched { kClassify, kPassthrough, kReplicated, kReject };

/// How much of an answer must be equal on all nodes.
enum class Compare { kFull, kStatus, kNone };

struct Method {
  std::string match;              ///< as written in the file; names the entry in metrics and errors
  Mode mode = Mode::kReplicated;  ///< read_only is already the read strategy
  std::optional<Duration> timeout;        ///< none: limits.request_timeout
  std::optional<Duration> max_staleness;  ///< of a local read
  Compare compare = Compare::kFull;
  std::vector<std::string> ignore;  ///< "$.updated_at", "header:etag": left out of the comparison
};

class MethodTable {
 public:
  /// `methods` in the file's order; calls that none of them matches are read by `read_strategy`
  /// where `unmatched` is kClassify and they are known to be reads. The error names the first
  /// malformed pattern or ambiguous pair.
  static Result<MethodTable> make(std::vector<Method> methods, Unmatched unmatched,
                                  Mode read_strategy);

  MethodTable(MethodTable&&) noexcept;
  MethodTable& operator=(MethodTable&&) noexcept;
  ~MethodTable();

  /// An HTTP call: its path decoded and without its query. Never null, valid as long as the table:
  /// what no pattern matches gets a built-in entry, matched as "unmatched".
  const Method* resolve(std::string_view method, std::string_view path) const;

  /// A gRPC call, "/package.Service/Method". Unless listed it is a write.
  const Method* resolve_grpc(std::string_view path) const;

  /// A call of a protocol whose methods are plain names (Redis commands in upper case).
  const Method* resolve_name(std::string_view name) const;

 private:
  struct State;
  explicit MethodTable(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace zap::config
