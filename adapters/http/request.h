// adapters/http/request.h - from a client's request to the payload that every copy executes.
//
// The payload is a ready-to-send HTTP/1.1 request: connection and Zap-* fields dropped, what a
// proxy adds added once, here at the origin, so that all applications see the same bytes.

#pragma once

#include "adapters/adapter.h"
#include "adapters/http/draft.h"
#include "adapters/http/message_parser.h"

namespace zap::http {

struct RequestDraft {
  ClientCall call;
  Draft message;
};

/// Everything that the head decides. The error is to be told to the client, as malformed.
Result<RequestDraft> draft_request(const Head& head, const ClientSettings& settings);

/// The body is in: fills in the payload and the key's fingerprint.
ClientCall finish_request(RequestDraft draft);

}  // namespace zap::http
