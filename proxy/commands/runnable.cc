#include "proxy/commands/runnable.h"

#include "config/load.h"
#include "proxy/app/protocol_of.h"

namespace zap::commands {

namespace {

Result<void> runnable(const config::Config& config) {
  if (config.consensus.protocol == config::Protocol::kZab) {
    return Error{ErrorCode::kInvalid,
                 config.file.string() +
                     ": consensus.protocol is zab; this version has pbft only, "
                     "for 4 nodes or more"};
  }
  for (const config::Listener& listener : config.listeners) {
    const auto protocol = protocol_of(listener.protocol);
    if (!protocol) {
      return Error{ErrorCode::kInvalid, config.file.string() + ": listener " + listener.name +
                                            ": " + protocol.error().message};
    }
  }
  return {};
}

}  // namespace

Result<config::Config> load_runnable(const std::string& file) {
  auto loaded = config::load(file);
  if (!loaded) return loaded;
  if (const auto can = runnable(*loaded); !can) return can.error();
  return loaded;
}

}  // namespace zap::commands
