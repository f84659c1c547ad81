// adapters/http/app_session.h - one HTTP/1.1 connection to the application.
//
// One call at a time: few servers answer pipelined requests one after the other.
//
// Threads: lives where its connection lives.

#pragma once

#include <deque>
#include <optional>

#include "adapters/adapter.h"
#include "adapters/http/message_parser.h"
#include "adapters/http/response.h"

namespace zap::http {

class HttpAppSession final : public AppSession {
 public:
  explicit HttpAppSession(AppSettings settings);

  std::size_t window() const override { return 1; }
  void deliver(const Bytes& payload, const std::optional<Delivery>& delivery,
               const Comparison& comparison, Output& output) override;
  Result<std::vector<AppReply>> feed(std::string_view bytes) override;
  std::optional<AppReply> closed() override;
  std::size_t in_flight() const override { return waiting_.size(); }
  bool reusable() const override { return reusable_; }

 private:
  struct Waiting {
    bool is_head = false;
    const Comparison* comparison = nullptr;
  };

  AppReply take_reply();
  /// What every node answers in place of a response that is too large for replication.
  AppReply too_large();

  const AppSettings settings_;
  MessageParser parser_;
  std::deque<Waiting> waiting_;         ///< in the order of delivery
  std::optional<ResponseDraft> draft_;  ///< the response whose body is being read
  unsigned interim_ = 0;                ///< responses of status 1xx to the call in front
  bool reusable_ = true;
};

}  // namespace zap::http
