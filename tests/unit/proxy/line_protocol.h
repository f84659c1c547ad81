// tests/unit/proxy/line_protocol.h - the smallest protocol that an application can speak, for
// tests.
//
// A call is the line "INDEX PAYLOAD" or "INDEX replay PAYLOAD", with "-" for the index of a read;
// an answer is any line. The question "GET /applied" is the read "ask /applied".

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"

namespace zap {

class LineAppSession : public AppSession {
 public:
  std::size_t window() const override { return 1; }

  void deliver(const Bytes& payload, const std::optional<Delivery>& delivery, const Comparison&,
               Output& output) override {
    const std::string index = delivery ? std::to_string(delivery->index) : "-";
    const std::string kind = delivery && delivery->replay ? " replay " : " ";
    const std::string line = index + kind + std::string(payload.view()) + "\n";
    output.append(std::string_view(line));
    ++in_flight_;
  }

  Result<std::vector<AppReply>> feed(std::string_view bytes) override {
    received_ += bytes;
    std::vector<AppReply> replies;
    for (std::size_t end; (end = received_.find('\n')) != std::string::npos;) {
      const std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      if (in_flight_ == 0) return Error{ErrorCode::kInvalid, "an answer to no call"};
      --in_flight_;
      replies.push_back({.reply = {.payload = Bytes(line)}});
    }
    return replies;
  }

  std::optional<AppReply> closed() override { return std::nullopt; }
  std::size_t in_flight() const override { return in_flight_; }
  bool reusable() const override { return true; }

 private:
  std::string received_;
  std::size_t in_flight_ = 0;
};

/// Takes an HTTP question for the line "ask PATH", and shows its answer as HTTP.
class LineClientSession : public ClientSession {
 public:
  std::optional<ClientCall> feed(std::string_view& bytes, Output&) override {
    const std::size_t path = bytes.find(' ') + 1;
    const std::size_t end = bytes.find(' ', path);
    ClientCall call;
    call.sequence = 1;
    call.payload = Bytes("ask " + std::string(bytes.substr(path, end - path)));
    bytes = {};
    return call;
  }
  std::size_t unfinished_bytes() const override { return 0; }
  void give_up(const ProxyError&, Output&) override {}
  void answer(std::uint64_t, const Answer& answer, Output& output) override {
    output.append(std::string_view("HTTP/1.1 200 OK\r\n\r\n"));
    output.append(answer.payload.view());
  }
  void refuse(std::uint64_t, const ProxyError&, Output&) override {}
  std::size_t pending() const override { return 0; }
  std::size_t held_back_bytes() const override { return 0; }
  bool finished() const override { return false; }
};

class LineProtocol : public Protocol {
 public:
  std::string_view name() const override { return "lines"; }
  std::unique_ptr<ClientSession> client_session(ClientSettings) const override {
    return std::make_unique<LineClientSession>();
  }
  std::unique_ptr<AppSession> app_session(AppSettings) const override {
    return std::make_unique<LineAppSession>();
  }
};

}  // namespace zap
