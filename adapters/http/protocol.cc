#include "adapters/http/protocol.h"

#include "adapters/http/app_session.h"
#include "adapters/http/client_session.h"

namespace zap::http {

std::unique_ptr<ClientSession> HttpProtocol::client_session(ClientSettings settings) const {
  return std::make_unique<HttpClientSession>(std::move(settings));
}

std::unique_ptr<AppSession> HttpProtocol::app_session(AppSettings settings) const {
  return std::make_unique<HttpAppSession>(settings);
}

}  // namespace zap::http
