#include "proxy/net/event_loop.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/limits.h"
#include "proxy/face/logging.h"
#include "proxy/net/per_second.h"

namespace zap {

namespace {

struct EventDelete {
  void operator()(event* ev) const { event_free(ev); }
};
using EventPtr = std::unique_ptr<event, EventDelete>;

/// What libevent has to say, in our log and not as often as it likes.
void log_of_libevent(int severity, const char* message) {
  thread_local PerSecond rate(limits::kRefusalsLogged);
  if (severity < EVENT_LOG_WARN || !rate.allows()) return;
  log_warning("libevent warns", {{"message", message}});
}

event_base* make_base() {
  [[maybe_unused]] static const bool once = [] {
    event_set_log_callback(log_of_libevent);
    return true;
  }();
  // Calls without a quorum expire within microseconds of one another, not within a tick of 4 ms.
  event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_base* base = event_base_new_with_config(config);
  event_config_free(config);
  ZAP_CHECK(base != nullptr, "libevent gives no event base");
  return base;
}

/// What other threads have posted: the one lock of a loop.
class Mailbox {
 public:
  Mailbox() : wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    ZAP_CHECK(wake_fd_ >= 0, "no eventfd: out of file descriptors");
  }
  ~Mailbox() { close(wake_fd_); }

  int wake_fd() const { return wake_fd_; }
  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
  }

  void put(EventLoop::Task task, bool may_wait) {
    bool first;
    {
      std::unique_lock lock(mutex_);
      if (may_wait) {
        room_.wait(lock, [this] { return closed_ || tasks_.size() < limits::kMailboxTasks; });
      }
      first = tasks_.empty();
      tasks_.push_back(std::move(task));
    }
    if (first) wake();
  }

  std::vector<EventLoop::Task> take_all() {
    std::uint64_t count;
    [[maybe_unused]] const ssize_t read = ::read(wake_fd_, &count, sizeof count);
    std::vector<EventLoop::Task> tasks;
    {
      const std::lock_guard lock(mutex_);
      tasks.swap(tasks_);
    }
    room_.notify_all();
    return tasks;
  }

  /// While closed (nobody takes), no thread waits for room.
  void set_closed(bool closed) {
    {
      const std::lock_guard lock(mutex_);
      closed_ = closed;
    }
    room_.notify_all();
  }

 private:
  const int wake_fd_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::vector<EventLoop::Task> tasks_;
  bool closed_ = true;
};

}  // namespace

Now read_clocks() {
  const auto read = [](clockid_t clock) {
    timespec time;
    clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  return {Instant(read(CLOCK_MONOTONIC)), Duration(read(CLOCK_REALTIME)).count()};
}

struct EventLoop::Impl {
  event_base* const base = make_base();
  evdns_base* dns = nullptr;
  Mailbox mailbox;
  std::atomic<bool> stopped = false;
  std::atomic<std::thread::id> thread{};
  std::vector<Task> end_of_turn;

  struct SignalHandler {
    EventPtr event;
    Task task;
  };
  std::vector<std::unique_ptr<SignalHandler>> signals;
  EventPtr mail;

  Impl() {
    // A peer that is gone is an error of write(), not a signal.
    std::signal(SIGPIPE, SIG_IGN);
    mail.reset(event_new(
        base, mailbox.wake_fd(), EV_READ | EV_PERSIST,
        [](int, short, void* impl) { static_cast<Impl*>(impl)->run_mail(); }, this));
    event_add(mail.get(), nullptr);
  }

  ~Impl() {
    mail.reset();
    signals.clear();
    if (dns) evdns_base_free(dns, 0);
    event_base_free(base);
  }

  void run_mail() {
    for (Task& task : mailbox.take_all()) task();
  }

  void run_end_of_turn() {
    while (!end_of_turn.empty()) {
      for (Task& task : std::exchange(end_of_turn, {})) task();
    }
  }
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::run() {
  impl_->thread = std::this_thread::get_id();
  impl_->mailbox.set_closed(false);
  while (!impl_->stopped) {
    event_base_loop(impl_->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
    impl_->run_end_of_turn();
  }
  impl_->mailbox.set_closed(true);
  impl_->stopped = false;
  impl_->thread = std::thread::id();
}

void EventLoop::stop() {
  impl_->stopped = true;
  impl_->mailbox.wake();
}

void EventLoop::post(Task task) {
  impl_->mailbox.put(std::move(task), std::this_thread::get_id() != impl_->thread.load());
}

void EventLoop::at_end_of_turn(Task task) {
  // Outside of a turn (before run(), or after it) there is no event whose end would come.
  if (impl_->end_of_turn.empty() && impl_->thread.load() != std::this_thread::get_id()) {
    impl_->mailbox.wake();
  }
  impl_->end_of_turn.push_back(std::move(task));
}

void EventLoop::on_signal(int signal, Task handler) {
  auto entry = std::make_unique<Impl::SignalHandler>();
  entry->task = std::move(handler);
  entry->event.reset(evsignal_new(
      impl_->base, signal,
      [](int, short, void* entry_pointer) {
        static_cast<Impl::SignalHandler*>(entry_pointer)->task();
      },
      entry.get()));
  event_add(entry->event.get(), nullptr);
  impl_->signals.push_back(std::move(entry));
}

event_base* EventLoop::base() { return impl_->base; }

evdns_base* EventLoop::dns() {
  if (!impl_->dns) {
    impl_->dns = evdns_base_new(
        impl_->base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
  }
  return impl_->dns;
}

// ---------------------------------------------------------------- Timer

// The event may be armed earlier than the deadline: a deadline that moves on costs nothing, and
// the event finds out when it fires.
struct Timer::Impl : std::enable_shared_from_this<Timer::Impl> {
  EventLoop::Task expired;
  EventPtr event;
  Instant deadline = kNever;
  Instant armed_for = kNever;

  void arm() {
    const Duration delay = std::max(Duration(0), deadline - read_clocks().instant);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(delay);
    const auto rest = std::chrono::ceil<std::chrono::microseconds>(delay - seconds);
    const timeval time{.tv_sec = seconds.count(), .tv_usec = rest.count()};
    event_add(event.get(), &time);
    armed_for = deadline;
  }

  void fire() {
    armed_for = kNever;
    if (deadline == kNever) return;
    if (read_clocks().instant < deadline) {
      arm();
      return;
    }
    deadline = kNever;
    const auto keep = shared_from_this();  // the function may destroy its timer
    expired();
  }
};

Timer::Timer(EventLoop& loop, EventLoop::Task expired) : impl_(std::make_shared<Impl>()) {
  impl_->expired = std::move(expired);
  impl_->event.reset(evtimer_new(
      loop.base(), [](int, short, void* impl) { static_cast<Impl*>(impl)->fire(); }, impl_.get()));
}

Timer::~Timer() { impl_->event.reset(); }

void Timer::at(Instant when) {
  impl_->deadline = when;
  if (when < impl_->armed_for) impl_->arm();
}

bool Timer::pending() const { return impl_->deadline != kNever; }

}  // namespace zap
