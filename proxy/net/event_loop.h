// proxy/net/event_loop.h - one thread's loop: events, timers, signals, and the only way across
// threads.
//
// Everything in the process lives on some loop and is called from that loop's thread alone; what
// crosses threads is a function handed to post(). A *turn* is one round of the loop: all events
// that were ready are handled, then whatever asked for the end of the turn runs. That is where
// calls become one bundle and frames one write: a busy loop batches by itself, an idle one never
// waits. libevent stays behind this header, stream.h and listener.h.
//
// Threads: post() and stop() from any; all else from the thread that calls run().

#pragma once

#include <functional>
#include <memory>

#include "core/time.h"

struct event_base;
struct evdns_base;

namespace zap {

/// The clocks as they are now.
Now read_clocks();

class EventLoop {
 public:
  using Task = std::function<void()>;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Turns until stop(). May be called again after it has returned.
  void run();
  /// Ends run() after the turn that it is in.
  void stop();

  /// Runs `task` on the loop's thread, in a turn to come, in the order of posting. Another
  /// thread waits here while limits::kMailboxTasks are pending; the loop's own never does. Once
  /// the loop has stopped, tasks wait for the next run() or are dropped with the loop.
  void post(Task task);

  /// Runs `task` once, when all events of this turn are handled; tasks added meanwhile too.
  void at_end_of_turn(Task task);

  /// Calls `handler` on the loop when the process gets `signal`, until the loop is destroyed.
  void on_signal(int signal, Task handler);

  /// For stream.h and listener.h.
  event_base* base();
  /// Resolves host names without blocking; made at its first use.
  evdns_base* dns();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One function at one time. Moving the time on is cheap: a driver does it at every step.
/// `expired` may destroy its own timer.
class Timer {
 public:
  Timer(EventLoop& loop, EventLoop::Task expired);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Replaces the time before; kNever cancels. Expires at most once per call.
  void at(Instant when);
  void after(Duration delay) { at(read_clocks().instant + delay); }
  void cancel() { at(kNever); }
  bool pending() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace zap
