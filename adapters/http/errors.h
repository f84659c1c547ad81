// adapters/http/errors.h - the sidecar's own errors as HTTP responses.

#pragma once

#include <string>

#include "adapters/http/response.h"
#include "adapters/proxy_error.h"

namespace zap::http {

/// "Not Found" of 404: of the statuses that the sidecar itself answers with.
std::string_view reason_of(int status);

/// The status that a code is answered with: 503 for kNoQuorum and so on.
int status_of(ProxyErrorCode code);

/// A complete response: status, Zap-Origin: proxy, what else the code demands (Retry-After,
/// Zap-Op-Id, Zap-Index) and a JSON body. `answers_head`: the body is left out.
std::string render_error(const ProxyError& error, ConnectionField connection,
                         bool answers_head = false);

/// As above with another status than the code's own, where HTTP knows a more exact one.
std::string render_error(const ProxyError& error, int status, ConnectionField connection,
                         bool answers_head = false);

}  // namespace zap::http
