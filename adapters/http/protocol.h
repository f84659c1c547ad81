// adapters/http/protocol.h - HTTP/1.1, as the catalog knows it.

#pragma once

#include "adapters/adapter.h"

namespace zap::http {

class HttpProtocol final : public Protocol {
 public:
  std::string_view name() const override { return "http"; }
  std::unique_ptr<ClientSession> client_session(ClientSettings settings) const override;
  std::unique_ptr<AppSession> app_session(AppSettings settings) const override;
};

}  // namespace zap::http
