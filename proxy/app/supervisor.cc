#include "proxy/app/supervisor.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "proxy/app/app_identity.h"
#include "proxy/face/logging.h"

namespace zap {

namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(10);
/// A child that lived so long died of something new.
constexpr Duration kGrownUp = std::chrono::seconds(10);

/// Between fork and exec, in a process with other threads: system calls only.
[[noreturn]] void become(char* const* arguments, pid_t parent, int report) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // it died before we asked to die with it
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing > STDIN_FILENO) {
    ::dup2(nothing, STDIN_FILENO);
    ::close(nothing);
  }
  ::execvp(arguments[0], arguments);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(report, &error, sizeof error);
  ::_exit(127);
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) {
    return std::string("killed by signal ") + std::to_string(WTERMSIG(status)) + " (" +
           ::strsignal(WTERMSIG(status)) + ")";
  }
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Supervisor::Supervisor(EventLoop& loop, Settings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      kill_(loop, [this] { ::kill(-pid_, SIGKILL); }),
      start_(loop,
             [this] {
               if (const auto started = spawn(); !started.ok()) {
                 log_error("cannot start the application", {{"error", started.error().message}});
                 start_again(kLongestPause);
               }
             }),
      self_(std::make_shared<Supervisor*>(this)) {
  ZAP_CHECK(!settings_.command.empty(), "a supervisor without a command");
  loop_.on_signal(SIGCHLD, [self = std::weak_ptr(self_)] {
    if (const auto supervisor = self.lock()) (*supervisor)->reap();
  });
}

Supervisor::~Supervisor() {
  if (pid_ == 0) return;
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Result<void> Supervisor::start() {
  for (const Address& address : settings_.addresses) {
    if (const auto listener = listener_at(address)) {
      return Error{ErrorCode::kUnavailable,
                   *listener + " listens on " + to_string(address) + " already, where " +
                       settings_.command.front() +
                       " is to be started; stop it, or leave out the command to run beside it"};
    }
  }
  return spawn();
}

Result<void> Supervisor::spawn() {
  std::vector<char*> arguments;
  for (const std::string& argument : settings_.command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const auto failed = [this](int error) {
    return Error{ErrorCode::kIo,
                 "cannot run " + settings_.command.front() + ": " + std::strerror(error)};
  };

  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) return failed(errno);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(arguments.data(), parent, report[1]);
  const int fork_error = errno;
  ::close(report[1]);
  int error = 0;
  const bool has_failed = child > 0 && ::read(report[0], &error, sizeof error) == sizeof error;
  ::close(report[0]);
  if (child < 0) return failed(fork_error);
  if (has_failed) {
    ::waitpid(child, nullptr, 0);
    return failed(error);
  }

  pid_ = child;
  run_ = run_of_process(child);
  ++starts_;
  started_at_ = read_clocks().instant;
  log_info("application started", {{"pid", pid_}, {"command", settings_.command.front()}});
  return {};
}

void Supervisor::restart(const std::string& why) {
  if (restarting_ || stopping_ || pid_ == 0) return;
  log_warning("restarting the application", {{"pid", pid_}, {"why", why}});
  restarting_ = true;
  terminate();
}

void Supervisor::stop(std::function<void()> stopped) {
  stopping_ = true;
  start_.cancel();
  if (pid_ == 0) return stopped();
  stopped_ = std::move(stopped);
  terminate();
}

void Supervisor::terminate() {
  run_.clear();
  ::kill(-pid_, SIGTERM);
  kill_.after(settings_.grace);
}

void Supervisor::reap() {
  siginfo_t ended{};
  if (pid_ == 0 || ::waitid(P_PID, pid_, &ended, WEXITED | WNOHANG | WNOWAIT) != 0) return;
  if (ended.si_pid != pid_) return;
  ::kill(-pid_, SIGKILL);  // what it leaves behind may hold its address
  int status = 0;
  ::waitpid(pid_, &status, 0);
  kill_.cancel();
  const pid_t pid = std::exchange(pid_, 0);
  run_.clear();
  if (stopping_) {
    log_info("application stopped", {{"pid", pid}, {"how", how_it_ended(status)}});
    if (stopped_) std::exchange(stopped_, nullptr)();
    return;
  }
  if (std::exchange(restarting_, false)) return start_again(Duration(0));

  const bool grown_up = read_clocks().instant - started_at_ > kGrownUp;
  pause_ = grown_up ? kFirstPause : std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  log_error("the application died",
            {{"pid", pid},
             {"how", how_it_ended(status)},
             {"starts_again_in_ms", pause_ / std::chrono::milliseconds(1)}});
  start_again(pause_);
}

void Supervisor::start_again(Duration pause) { start_.after(pause); }

}  // namespace zap
