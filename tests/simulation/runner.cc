#include "tests/simulation/runner.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <type_traits>

#include "core/check.h"

namespace zap::simulation {

namespace {

/// What a child tells of one job. Plain bytes: it crosses a pipe.
struct Line {
  std::size_t job = 0;
  bool failed = false;
  std::uint64_t trace = 0;
  std::uint64_t events = 0;
  Seq slots = 0;
  Duration recovery{};
  Marks marks;
  char failure[512] = {};
};
static_assert(std::is_trivially_copyable_v<Line>);

struct Child {
  pid_t process = -1;
  int results = -1;
  std::deque<std::size_t> jobs;  ///< not answered yet
};

const Simulation* running = nullptr;

/// ZAP_CHECK has printed what is wrong and stops the process. That happens on our own thread, in
/// the middle of nothing but our own code: it is safe to go on printing.
void report_aborted_run(int) {
  std::signal(SIGABRT, SIG_DFL);
  const std::string report = running->report("a check of the engine failed, see above");
  std::fputs(report.c_str(), stderr);
  std::fflush(stderr);
  std::_Exit(1);
}

void work(const std::vector<Job>& jobs, const std::deque<std::size_t>& share, int results,
          bool verbose) {
  if (!verbose) {
    std::freopen("/dev/null", "w", stderr);  // NOLINT: a child's own
  }
  for (const std::size_t job : share) {
    const RunResult result = run_here(jobs[job], verbose);
    Line line{.job = job,
              .failed = !result.failure.empty(),
              .trace = result.trace,
              .events = result.events,
              .slots = result.slots,
              .recovery = result.recovery,
              .marks = result.marks};
    result.failure.copy(line.failure, sizeof line.failure - 1);
    ZAP_CHECK(write(results, &line, sizeof line) == sizeof line, "the parent is gone");
  }
  std::_Exit(0);
}

Child start_child(const std::vector<Job>& jobs, std::deque<std::size_t> share, bool verbose) {
  int ends[2];
  ZAP_CHECK(pipe(ends) == 0, "no pipe: " << std::strerror(errno));
  std::fflush(nullptr);
  const pid_t process = fork();
  ZAP_CHECK(process >= 0, "no child process: " << std::strerror(errno));
  if (process == 0) {
    close(ends[0]);
    work(jobs, share, ends[1], verbose);
  }
  close(ends[1]);
  return {process, ends[0], std::move(share)};
}

RunResult result_of(const Line& line) {
  return {.failure = line.failed ? std::string(line.failure) : "",
          .trace = line.trace,
          .events = line.events,
          .slots = line.slots,
          .recovery = line.recovery,
          .marks = line.marks};
}

void stop(Child& child) {
  close(child.results);
  kill(child.process, SIGKILL);
  waitpid(child.process, nullptr, 0);
}

}  // namespace

RunResult run_here(const Job& job, bool verbose) {
  Simulation simulation(draw_scenario(job.seed, job.profile, job.events), job.sabotage);
  running = &simulation;
  std::signal(SIGABRT, verbose ? report_aborted_run : SIG_DFL);
  RunResult result = simulation.run();
  running = nullptr;
  std::signal(SIGABRT, SIG_DFL);
  if (verbose && !result.failure.empty()) {
    std::fputs(simulation.report(result.failure).c_str(), stderr);
  }
  return result;
}

void run_all(const std::vector<Job>& jobs, unsigned processes, bool verbose,
             const std::function<bool(const Job&, const RunResult&)>& done) {
  std::vector<std::deque<std::size_t>> shares(processes);
  for (std::size_t job = 0; job < jobs.size(); ++job) shares[job % processes].push_back(job);
  std::vector<Child> children;
  for (std::deque<std::size_t>& share : shares) {
    if (!share.empty()) children.push_back(start_child(jobs, std::move(share), verbose));
  }
  bool enough = false;
  while (!children.empty() && !enough) {
    std::vector<pollfd> waits;
    waits.reserve(children.size());
    for (const Child& child : children) waits.push_back({child.results, POLLIN, 0});
    poll(waits.data(), waits.size(), -1);
    for (std::size_t i = children.size(); i-- > 0 && !enough;) {
      if (waits[i].revents == 0) continue;
      Child& child = children[i];
      Line line;
      if (read(child.results, &line, sizeof line) == static_cast<ssize_t>(sizeof line)) {
        child.jobs.pop_front();
        enough = !done(jobs[line.job], result_of(line));
        continue;
      }
      stop(child);
      std::deque<std::size_t> rest = std::move(child.jobs);
      children.erase(children.begin() + static_cast<long>(i));
      if (rest.empty()) continue;
      // It died on the first job that it had not answered.
      enough = !done(jobs[rest.front()], {.failure = "a check of the engine failed"});
      rest.pop_front();
      if (!rest.empty() && !enough) children.push_back(start_child(jobs, std::move(rest), verbose));
    }
  }
  for (Child& child : children) stop(child);
}

}  // namespace zap::simulation
