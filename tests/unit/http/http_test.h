// tests/unit/http/http_test.h - sessions under test, and what is seen of them as plain text.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/http/app_session.h"
#include "adapters/http/client_session.h"

namespace zap::http {

inline ClientSettings client_settings() {
  ClientSettings settings;
  settings.request_bytes = 100;
  settings.head_bytes = 1000;
  settings.header_count = 12;
  settings.random_id = [] { return RandomId{0x0123456789abcdef, 0xfedcba9876543210}; };
  return settings;
}

inline AppSettings app_settings() {
  AppSettings settings;
  settings.response_bytes = 100;
  settings.head_bytes = 1000;
  settings.header_count = 12;
  return settings;
}

inline std::string text(Output& output) {
  std::string all;
  for (const Bytes& piece : output.take()) all += piece.view();
  return all;
}

/// Every call that `bytes` complete.
inline std::vector<ClientCall> feed_all(ClientSession& session, std::string_view bytes,
                                        Output& output) {
  std::vector<ClientCall> calls;
  while (auto call = session.feed(bytes, output)) calls.push_back(std::move(*call));
  return calls;
}

/// What became of some bytes of a client.
struct Heard {
  std::vector<std::string> methods;  ///< "POST /orders"
  std::vector<std::string> payloads;
  std::string output;  ///< what the session wrote by itself
  bool finished = false;

  friend bool operator==(const Heard&, const Heard&) = default;
};

/// Feeds a fresh session with the pieces.
inline Heard hear(const std::vector<std::string_view>& pieces,
                  ClientSettings settings = client_settings()) {
  HttpClientSession session(std::move(settings));
  Output output;
  Heard heard;
  for (const std::string_view piece : pieces) {
    for (const ClientCall& call : feed_all(session, piece, output)) {
      heard.methods.push_back(call.method.verb + " " + call.method.path);
      heard.payloads.emplace_back(call.payload.view());
    }
  }
  heard.output = text(output);
  heard.finished = session.finished();
  return heard;
}

/// Every way to cut `whole` in two, and all of it byte by byte.
inline std::vector<std::vector<std::string_view>> splits(std::string_view whole) {
  std::vector<std::vector<std::string_view>> result;
  for (std::size_t at = 1; at < whole.size(); ++at) {
    result.push_back({whole.substr(0, at), whole.substr(at)});
  }
  auto& bytes = result.emplace_back();
  for (std::size_t at = 0; at < whole.size(); ++at) bytes.push_back(whole.substr(at, 1));
  return result;
}

std::vector<std::vector<std::string_view>> splits(std::string&& dies_too_soon) = delete;

/// The status of the first answer in `output`, 0 without one.
inline int status_in(std::string_view output) {
  return output.starts_with("HTTP/1.1 ") ? std::stoi(std::string(output.substr(9, 3))) : 0;
}

}  // namespace zap::http
