// proxy/commands/admin_client.h - one question to a node's admin address, answered or given up on.
//
// Blocks. For commands only.

#pragma once

#include <string>

#include "core/result.h"

namespace zap::commands {

struct AdminAnswer {
  int status = 0;
  std::string body;
};

/// GETs `path` ("/status") at `admin` ("127.0.0.1:9901"). kInvalid: that is no address.
/// kUnavailable: nobody answered there.
Result<AdminAnswer> ask_admin(const std::string& admin, const std::string& path);

}  // namespace zap::commands
