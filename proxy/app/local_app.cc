#include "proxy/app/local_app.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "proxy/app/protocol_of.h"
#include "proxy/face/logging.h"

namespace zap {
namespace {

/// One file for each application, named by its address.
std::string progress_file_name(const Address& address) {
  std::string name = "app-" + to_string(address) + ".progress";
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-') c = '_';
  }
  return name;
}

}  // namespace

Result<std::unique_ptr<LocalApp>> LocalApp::make(
    EventLoop& loop, const config::Config& config,
    const std::vector<const config::Listener*>& listeners, const Membership& membership,
    const Comparisons& comparisons, DecisionSource& source, Supervisor* supervisor,
    const RunOptions& options, Metrics& metrics, LocalAppEvents events) {
  const config::App& app = listeners.front()->app;
  const auto protocol = protocol_of(app.protocol);
  if (!protocol) return protocol.error();
  auto progress = AppProgress::open(config.wal.path / progress_file_name(app.address));
  if (!progress) return progress.error();

  std::unique_ptr<LocalApp> made(new LocalApp(app.address, std::move(events)));
  made->progress_ = std::move(*progress);

  ApplierSettings settings{
      .app = app,
      .node_name = [&membership](NodeId node) { return membership.name_of(node); },
      .comparison_of = [&comparisons](const Operation& operation) -> const Comparison& {
        return comparisons.of(operation);
      },
      .response_bytes = config.limits.response_bytes,
      .app_is = options.app_is};
  for (const config::Listener* listener : listeners) settings.listeners.push_back(listener->name);
  made->listeners_ = settings.listeners;
  made->applier_ = std::make_unique<Applier>(loop, std::move(settings), **protocol,
                                             *made->progress_, source, *made, supervisor);
  made->reads_ = std::make_unique<LocalReads>(*made->applier_, metrics);
  return made;
}

bool LocalApp::serves(std::string_view listener) const {
  return std::find(listeners_.begin(), listeners_.end(), listener) != listeners_.end();
}

void LocalApp::backlog(bool full) {
  full_ = full;
  events_.backlog(full);
}

void LocalApp::watch() {
  const AppHealth health = applier_->health();
  if (health.state == std::exchange(seen_, health.state)) return;
  const LogLevel level = health.ready() || health.state == AppHealth::State::kReplaying
                             ? LogLevel::kInfo
                             : LogLevel::kWarning;
  log_line(
      level, "application",
      {{"address", to_string(address_)}, {"state", health.text()}, {"applied", health.applied}});
}

}  // namespace zap
