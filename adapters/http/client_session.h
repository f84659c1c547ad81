// adapters/http/client_session.h - one client's HTTP/1.1 connection: pipelined requests in, their
// answers in the same order out.
//
// Upgrade is ignored, as RFC 9110 7.8 allows; trailers are dropped; HTTP/1.0 is served.
//
// Threads: lives where its connection lives.

#pragma once

#include <deque>
#include <optional>

#include "adapters/adapter.h"
#include "adapters/http/message_parser.h"
#include "adapters/http/request.h"
#include "adapters/http/response.h"

namespace zap::http {

class HttpClientSession final : public ClientSession {
 public:
  explicit HttpClientSession(ClientSettings settings);

  std::optional<ClientCall> feed(std::string_view& bytes, Output& output) override;
  std::size_t unfinished_bytes() const override;
  void give_up(const ProxyError& error, Output& output) override;
  void answer(std::uint64_t sequence, const Answer& answer, Output& output) override;
  void refuse(std::uint64_t sequence, const ProxyError& error, Output& output) override;
  std::size_t pending() const override { return slots_.size(); }
  std::size_t held_back_bytes() const override { return held_back_bytes_; }
  bool finished() const override { return stopped_ && slots_.empty(); }

 private:
  /// A request whose answer has not left yet. Answers that come early wait in their slot.
  struct Slot {
    bool answers_head = false;
    ConnectionField connection = ConnectionField::kNone;
    bool answered = false;
    Output waiting;
  };

  void begin_request(Output& output, bool body_is_here);
  ClientCall end_request();
  void stop_with(const ProxyError& error, int status, Output& output);
  void stop_with_parse_error(Output& output);
  Slot& slot_of(std::uint64_t sequence);
  /// Where the answer of `sequence` goes now: out, or into its slot.
  template <typename Write>
  void put(std::uint64_t sequence, Output& output, Write write);
  void let_go(Output& output);

  const ClientSettings settings_;
  MessageParser parser_;
  std::optional<RequestDraft> draft_;  ///< the request whose body is being read
  Slot next_slot_;                     ///< of that request
  bool owes_continue_ = false;         ///< it waits for 100 Continue, behind earlier answers

  std::deque<Slot> slots_;  ///< by sequence, without gaps
  std::size_t held_back_bytes_ = 0;
  std::uint64_t first_ = 1;  ///< the sequence of slots_.front()
  bool stopped_ = false;     ///< no request is read any more
};

}  // namespace zap::http
