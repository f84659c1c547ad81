// proxy/app/app_probe.h - one question that the configuration names, "GET /_zap/applied", asked
// over an application's own protocol.
//
// Made of the protocol's client session: it turns the question's text into a payload, and the
// reply back into the text that a client would see. So a question passes through the same code
// and the same limits as every call.
//
// Threads: any; an object has one owner.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "adapters/adapter.h"
#include "core/address.h"

namespace zap {

class AppProbe {
 public:
  /// `question` is "METHOD PATH". An error where the protocol has no such thing.
  static Result<AppProbe> make(const Protocol& protocol, const Address& app,
                               std::string_view question);

  const Bytes& payload() const { return payload_; }

  /// The body of an answer with status 200, without white space around it. Call once.
  Result<std::string> answer(const Reply& reply);

 private:
  AppProbe(std::string question, std::unique_ptr<ClientSession> client, ClientCall call);

  std::string question_;
  std::unique_ptr<ClientSession> client_;
  std::uint64_t sequence_;
  Bytes payload_;
};

/// A number and nothing else.
Result<Index> parse_index(std::string_view text);

}  // namespace zap
