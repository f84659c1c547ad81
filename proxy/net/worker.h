// proxy/net/worker.h - one thread that works off tasks in order, so that the loop need not wait.
//
// Threads: post() from any. Destruction waits for the task that runs and drops the others.

#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace zap {

class Worker {
 public:
  using Task = std::function<void()>;

  /// Holds at most `capacity` tasks that wait.
  explicit Worker(std::size_t capacity);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// False: too many wait already, and the task is not taken.
  bool post(Task task);

 private:
  void run();

  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  std::thread thread_;  ///< last: it uses all above
};

}  // namespace zap
