// adapters/http/response.h - from an application's response to a Reply, and to a client's answer.
//
// The reply's payload is a ready-to-send HTTP/1.1 response with a Content-Length and without
// connection and Zap-* fields; answering a client only inserts fields behind its status line.

#pragma once

#include "adapters/adapter.h"
#include "adapters/http/draft.h"
#include "adapters/http/message_parser.h"

namespace zap::http {

struct ResponseDraft {
  Draft message;
  std::string compared;    ///< status and headers, as far as they must be equal on all nodes
  bool duplicate = false;  ///< Zap-Applied: duplicate
  bool has_body = true;
};

/// Everything that the head decides; `answers_head` tells that the request was a HEAD.
ResponseDraft draft_response(const Head& head, bool answers_head, const Comparison& comparison);

/// The body is in.
AppReply finish_response(ResponseDraft draft, const Comparison& comparison);

/// What a client's connection adds to its answers.
enum class ConnectionField : std::uint8_t { kNone, kClose, kKeepAlive };

void write_answer(const Answer& answer, ConnectionField connection, Output& output);

/// "Connection: close\r\n" and the like; empty for kNone.
std::string_view to_field(ConnectionField connection);

}  // namespace zap::http
