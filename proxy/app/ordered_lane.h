// proxy/app/ordered_lane.h - the one connection that carries ordered calls, and what is in flight
// on it.
//
// Calls and, where the application serves one connection only (app.connections: 1), reads between
// them, each answered in the order of sending. When it breaks, calls go back to the applier and
// reads to AppReads.
//
// Threads: its loop's. Callbacks may come from within disconnect() alone; any of them may connect,
// disconnect or deliver.

#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "proxy/app/app_backlog.h"
#include "proxy/app/app_connection.h"
#include "proxy/app/app_probe.h"
#include "proxy/app/app_reads.h"

namespace zap {

class OrderedLane {
 public:
  struct SentCall {
    OrderedCall call;
    bool replay = false;
  };
  struct Handlers {
    std::function<void()> on_open;
    std::function<void(const SentCall&, AppReply)> on_answer;
    /// A read was answered: there is room for whatever comes next.
    std::function<void()> on_room;
    /// Over. `unanswered`, in order: sent, and perhaps executed.
    std::function<void(const std::string& reason, std::deque<OrderedCall> unanswered)> on_closed;
  };

  /// `endpoint` and `reads` outlive it.
  OrderedLane(EventLoop& loop, const AppEndpoint& endpoint, AppReads& reads, Handlers handlers);

  void connect();
  /// on_closed follows at once.
  void disconnect(const std::string& reason);
  /// Nothing follows.
  void abandon();

  bool is_open() const { return connection_ && connection_->is_open(); }
  bool ready() const { return connection_ && connection_->ready(); }
  bool idle() const { return in_flight_.empty(); }
  bool carries_calls() const;
  bool closed_unseen() const { return is_open() && idle() && connection_->closed_unseen(); }
  /// The application's, at the other end; empty where nothing tells.
  const std::string& run() const { return connection_->run(); }

  /// Asks something beside the order, while nothing is in flight.
  void ask(AppProbe question, std::function<void(Result<std::string>)> answered);
  void deliver(SentCall call, const std::optional<Delivery>& delivery,
               const Comparison& comparison);
  void deliver(AppRead read);

 private:
  struct Question {
    AppProbe probe;
    std::function<void(Result<std::string>)> answered;
  };
  /// A read without `done` is over; its answer is still to come.
  using InFlight = std::variant<SentCall, AppRead>;

  void replied(AppReply reply);
  void watch_reads();
  void expire_reads();

  EventLoop& loop_;
  const AppEndpoint& endpoint_;
  AppReads& reads_;
  const Handlers handlers_;
  std::unique_ptr<AppConnection> connection_;
  std::optional<Question> question_;  ///< asked, and not answered yet
  std::deque<InFlight> in_flight_;
  Timer read_deadline_;
};

}  // namespace zap
