// adapters/http/page.h - pages of the sidecar's own, for clients that speak HTTP to it.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/adapter.h"

namespace zap::http {

struct Page {
  int status = 200;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  std::string body;
};

/// The page as the answer to `call`: to a HEAD, without its body.
Answer answer_with(const Page& page, const ClientCall& call);

/// What the request says in its Host field.
std::string_view host_of(const ClientCall& call);

}  // namespace zap::http
