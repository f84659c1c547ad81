// core/result.h - what can go wrong outside of us, as a value.
//
// Peers, clients, disks and files cause errors; those travel as Result<T>. The message names the
// thing, the value, the limit and the way out, since it is shown to users as it stands.

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/check.h"

namespace zap {

enum class ErrorCode {
  kInvalid,       ///< malformed input: bytes, a file, a flag
  kTooLarge,      ///< a limit was exceeded
  kNotFound,      ///< the thing named does not exist
  kUnauthorized,  ///< a key, certificate, token or signature does not fit
  kUnavailable,   ///< a peer, application or service cannot be reached now
  kCorrupt,       ///< stored bytes are not what was written
  kIo,            ///< the operating system refused
  kDiverged,      ///< the application's state is not that of the other copies
};

struct Error {
  ErrorCode code;
  std::string message;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  T& value() {
    ZAP_CHECK(ok(), "value() of an error: " << std::get<Error>(state_).message);
    return std::get<T>(state_);
  }
  const T& value() const { return const_cast<Result*>(this)->value(); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    ZAP_CHECK(!ok(), "error() of a value");
    return std::get<Error>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// Success carries nothing.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    ZAP_CHECK(!ok(), "error() of a success");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace zap
