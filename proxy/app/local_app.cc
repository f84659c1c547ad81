#include "proxy/app/local_app.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "consensus/wire/codec.h"
#include "proxy/app/protocol_of.h"
#include "proxy/face/logging.h"

namespace zap {
namespace {

/// One file of a kind for each application, named by its address.
std::string file_name(const Address& address, const char* kind) {
  std::string name = "app-" + to_string(address) + kind;
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
  auto progress = AppProgress::open(config.wal.path / file_name(app.address, ".progress"));
  if (!progress) return progress.error();

  std::unique_ptr<LocalApp> made(new LocalApp(app.address, config, comparisons, std::move(events)));
  made->progress_ = std::move(*progress);
  const auto kept = made->kept_.open(config.wal.path / file_name(app.address, ".answers"));
  if (!kept) return kept.error();

  ApplierSettings settings{
      .app = app,
      .node_name = [&membership](NodeId node) { return membership.name_of(node); },
      .comparison_of = [&comparisons](const Operation& operation) -> const Comparison& {
        return comparisons.of(operation);
      },
      .reads_of = [app = made.get()](const CallPtr& call) { return app->reads_of(call); },
      .response_bytes = config.limits.response_bytes,
      .app_is = options.app_is};
  for (const config::Listener* listener : listeners) settings.listeners.push_back(listener->name);
  made->listeners_ = settings.listeners;
  made->applier_ = std::make_unique<Applier>(loop, std::move(settings), **protocol,
                                             *made->progress_, source, *made, supervisor);
  made->reads_ = std::make_unique<LocalReads>(*made->applier_, metrics, made->events_.as_of);
  return made;
}

bool LocalApp::serves(std::string_view listener) const {
  return std::find(listeners_.begin(), listeners_.end(), listener) != listeners_.end();
}

// ---------------------------------------------------------------- calls that come again

void LocalApp::repeat(const CallPtr& call, Index first) {
  if (first <= applier_->applied()) return answer_repeated(call, first);
  repeated_.emplace(first, call);
}

void LocalApp::answer_repeated(const CallPtr& call, Index first) {
  AppAnswer answer{.index = first, .call = call, .repeated = true};
  if (const Reply* kept = kept_.find(first, call->operation.once->key)) {
    answer.reply = *kept;
  }
  events_.answered(answer);
}

void LocalApp::answered(const AppAnswer& answer) {
  const auto& once = answer.call->operation.once;
  if (once && answer.reply && !answer.duplicate) {
    kept_.keep(answer.index, once->key, *answer.reply);
  }
  events_.answered(answer);
}

void LocalApp::applied_up_to(Index index) {
  reads_->applied_up_to(index);
  while (!repeated_.empty() && repeated_.begin()->first <= index) {
    const auto next = repeated_.extract(repeated_.begin());
    answer_repeated(next.mapped(), next.key());
  }
}

// ---------------------------------------------------------------- barriers

PlacedReadsPtr LocalApp::reads_of(const CallPtr& barrier) const {
  const Result<wire::Barrier> content = wire::decode_barrier(barrier->operation.payload);
  if (!content) return nullptr;  // its origin wrote nonsense, and waits for nothing
  const auto& readers = content->readers;
  if (std::find(readers.begin(), readers.end(), self_) == readers.end()) return nullptr;

  PlacedReads placed{.barrier = barrier, .whole = content->whole};
  for (std::uint32_t position = 0; position < content->reads.size(); ++position) {
    const wire::Barrier::Read& read = content->reads[position];
    if (!serves(read.listener)) continue;
    placed.reads.push_back({.position = position,
                            .comparison = &comparisons_.of(read.listener, read.method),
                            .payload = read.payload});
  }
  if (placed.reads.empty()) return nullptr;
  return std::make_shared<const PlacedReads>(std::move(placed));
}

// ---------------------------------------------------------------- health

void LocalApp::backlog(bool full) {
  full_ = full;
  events_.backlog(full);
}

void LocalApp::watch() {
  const AppHealth health = applier_->health();
  if (health.diverged_at != 0) kept_.forget_from(health.diverged_at);
  if (health.state == std::exchange(seen_, health.state)) return;
  const LogLevel level = health.ready() || health.state == AppHealth::State::kReplaying
                             ? LogLevel::kInfo
                             : LogLevel::kWarning;
  log_line(
      level, "application",
      {{"address", to_string(address_)}, {"state", health.text()}, {"applied", health.applied}});
}

}  // namespace zap
