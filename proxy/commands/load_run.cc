#include "proxy/commands/load_run.h"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "core/address.h"
#include "proxy/commands/load_connection.h"
#include "proxy/net/event_loop.h"

namespace zap {
namespace {

constexpr std::chrono::seconds kProgressEvery{1};
constexpr std::size_t kKeyBytes = 16;

Instant instant() { return read_clocks().instant; }

/// The requests of a run, one after the other; keys go round.
class Requests {
 public:
  explicit Requests(const LoadSettings& settings)
      : settings_(settings), value_(settings.size, 'v') {}

  std::string next() {
    const bool mixed = settings_.mode == LoadSettings::Mode::kMixed;
    const bool read = mixed ? made_ % 2 == 1 : settings_.mode == LoadSettings::Mode::kRead;
    const std::string path = path_of((mixed ? made_ / 2 : made_) % settings_.keys);
    ++made_;
    if (read) return "GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n";
    return "POST " + path +
           " HTTP/1.1\r\nHost: bench\r\nContent-Length: " + std::to_string(value_.size()) +
           "\r\n\r\n" + value_;
  }

 private:
  std::string path_of(std::size_t number) const {
    std::string key = std::to_string(number);
    key.insert(0, kKeyBytes - std::min(kKeyBytes, key.size()), '0');
    std::string path = settings_.path;
    constexpr std::string_view kPlace = "{key}";
    if (const std::size_t at = path.find(kPlace); at != std::string::npos) {
      path.replace(at, kPlace.size(), key);
    }
    return path;
  }

  const LoadSettings& settings_;
  const std::string value_;
  std::size_t made_ = 0;
};

class LoadRun {
 public:
  explicit LoadRun(const LoadSettings& settings)
      : settings_(settings),
        requests_(settings),
        progress_(loop_, [this] { show_progress(); }),
        next_due_(loop_, [this] { start_due_calls(); }),
        end_(loop_, [this] { loop_.stop(); }) {}

  Result<LoadReport> run(const std::vector<Address>& targets) {
    begin_ = instant();
    for (std::size_t i = 0; i < settings_.connections; ++i) {
      clients_.push_back(std::make_unique<Client>());
      Client& client = *clients_.back();
      client.connection.emplace(
          loop_, targets[i % targets.size()],
          LoadHandlers{[this, &client] { connected(client); },
                       [this, &client](int status) { answered(client, status); },
                       [this, &client](bool in_flight, const std::string& why) {
                         broke(client, in_flight, why);
                       }});
    }
    progress_.after(kProgressEvery);
    end_.after(settings_.duration);
    loop_.run();
    report_.took = instant() - begin_;
    if (terminal_) std::cerr << "\r\033[K";
    if (unreachable_) return Error{ErrorCode::kUnavailable, *unreachable_};
    return std::move(report_);
  }

 private:
  struct Client {
    std::optional<LoadConnection> connection;
    Instant due;  ///< of the call in flight: when it began, or with a rate should have
  };

  void connected(Client& client) {
    ever_connected_ = true;
    become_idle(client);
  }

  void answered(Client& client, int status) {
    if (status >= 200 && status < 300) {
      report_.latencies.record(instant() - client.due);
    } else {
      ++report_.errors[std::to_string(status)];
    }
    if (client.connection->idle()) become_idle(client);
  }

  void broke(Client& client, bool in_flight, const std::string& why) {
    std::erase(idle_, &client);
    if (!ever_connected_) {
      unreachable_ = "cannot connect: " + why + "; is a sidecar listening there?";
      loop_.stop();
    }
    if (in_flight) ++report_.errors[why];
  }

  void become_idle(Client& client) {
    if (settings_.rate <= 0) return start_call(client, instant());
    idle_.push_back(&client);
    start_due_calls();
  }

  void start_call(Client& client, Instant due) {
    client.due = due;
    client.connection->send(requests_.next());
  }

  void start_due_calls() {
    const Instant now = instant();
    while (!idle_.empty()) {
      const std::chrono::duration<double> since_begin(static_cast<double>(started_) /
                                                      settings_.rate);
      const Instant due = begin_ + std::chrono::duration_cast<Duration>(since_begin);
      if (due > now) return next_due_.at(due);
      ++started_;
      Client& client = *idle_.front();
      idle_.pop_front();
      start_call(client, due);
    }
  }

  void show_progress() {
    const std::uint64_t answered = report_.latencies.count();
    std::uint64_t failed = 0;
    for (const auto& [what, count] : report_.errors) failed += count;
    const auto seconds = std::chrono::round<std::chrono::seconds>(instant() - begin_);
    std::cerr << (terminal_ ? "\r\033[K" : "") << seconds.count() << " s  " << answered - shown_
              << " calls/s  " << failed << " errors" << (terminal_ ? "" : "\n") << std::flush;
    shown_ = answered;
    progress_.after(kProgressEvery);
  }

  const LoadSettings& settings_;
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  Requests requests_;
  EventLoop loop_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::deque<Client*> idle_;   ///< with a rate: waiting for a call to become due
  std::uint64_t started_ = 0;  ///< with a rate: calls so far
  Timer progress_;
  Timer next_due_;
  Timer end_;
  std::uint64_t shown_ = 0;
  Instant begin_;
  bool ever_connected_ = false;
  std::optional<std::string> unreachable_;
  LoadReport report_;
};

}  // namespace

Result<LoadReport> run_load(const LoadSettings& settings) {
  if (settings.targets.empty()) {
    return Error{ErrorCode::kInvalid, "no target; name a listener as --target host:port"};
  }
  if (settings.connections == 0 || settings.keys == 0 || settings.duration.count() < 1) {
    return Error{ErrorCode::kInvalid, "--connections, --keys and --duration must be 1 or more"};
  }
  std::vector<Address> targets;
  for (const std::string& target : settings.targets) {
    Result<Address> address = parse_address(target);
    if (!address) return address.error();
    targets.push_back(*address);
  }
  return LoadRun(settings).run(targets);
}

}  // namespace zap
