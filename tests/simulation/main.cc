// tests/simulation/main.cc - the simulator's command line, behind ./dev sim.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "tests/simulation/planted_bugs.h"
#include "tests/simulation/runner.h"
#include "tests/simulation/stories.h"

namespace {

using namespace zap::simulation;

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 100;
  std::optional<std::uint64_t> seed;
  std::string profile;
  std::uint64_t events = 20'000;
  unsigned jobs = 2;
  bool planted = false;
  bool search_planted = false;
  std::string bug;
  bool twice = false;
};

Job job_of(const Options& options, std::uint64_t seed) {
  Job job{.seed = seed, .events = options.events};
  if (!options.profile.empty()) job.profile = parse_profile(options.profile).value();
  for (const PlantedBug& bug : planted_bugs()) {
    if (!options.search_planted && bug.name == options.bug) bug.plant(job.sabotage);
  }
  return job;
}

void print(const RunResult& result) {
  std::printf("%llu events, %llu slots, recovered in %.1f s, trace %016llx\n",
              static_cast<unsigned long long>(result.events),
              static_cast<unsigned long long>(result.slots),
              std::chrono::duration<double>(result.recovery).count(),
              static_cast<unsigned long long>(result.trace));
}

int run_one(const Options& options) {
  const RunResult result = run_here(job_of(options, *options.seed), true);
  print(result);
  return result.failure.empty() ? 0 : 1;
}

/// The same seeds again must be the same runs.
int run_twice(const Options& options) {
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    const RunResult once = run_here(job_of(options, seed), true);
    const RunResult again = run_here(job_of(options, seed), true);
    if (once.trace != again.trace || once.events != again.events) {
      std::printf("seed %llu is not the same run twice\n", static_cast<unsigned long long>(seed));
      print(once);
      print(again);
      return 1;
    }
  }
  std::printf("%llu seeds are the same runs twice\n",
              static_cast<unsigned long long>(options.seeds));
  return 0;
}

int run_many(const Options& options) {
  std::vector<Job> jobs;
  for (std::uint64_t i = 0; i < options.seeds; ++i) {
    jobs.push_back(job_of(options, options.first + i));
  }
  const auto begin = std::chrono::steady_clock::now();
  Marks marks;
  std::uint64_t events = 0;
  std::uint64_t slots = 0;
  std::vector<zap::Duration> recoveries;
  std::vector<std::string> failures;
  run_all(jobs, options.jobs, true, [&](const Job& job, const RunResult& result) {
    marks.add(result.marks);
    events += result.events;
    slots += result.slots;
    recoveries.push_back(result.recovery);
    if (!result.failure.empty()) {
      failures.push_back("seed " + std::to_string(job.seed) + ": " + result.failure);
    }
    return failures.size() < 50;
  });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;

  for (int i = 0; i < static_cast<int>(Mark::kCount); ++i) {
    const Mark mark = static_cast<Mark>(i);
    std::printf("%12llu  %s%s\n", static_cast<unsigned long long>(marks.count(mark)),
                std::string(to_string(mark)).c_str(),
                marks.count(mark) == 0 ? "   <-- NEVER REACHED" : "");
  }
  std::sort(recoveries.begin(), recoveries.end());
  std::printf("recovery, simulated: median %.2f s, worst %.2f s\n",
              std::chrono::duration<double>(recoveries[recoveries.size() / 2]).count(),
              std::chrono::duration<double>(recoveries.back()).count());
  std::printf("%zu seeds, %llu events, %llu slots in %.1f s: %.1f us an event on %u processes\n",
              recoveries.size(), static_cast<unsigned long long>(events),
              static_cast<unsigned long long>(slots), took.count(),
              took.count() * options.jobs * 1e6 / static_cast<double>(events), options.jobs);
  for (const std::string& failure : failures) std::printf("FAILED %s\n", failure.c_str());
  return failures.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Plays seeded stories with a simulated cluster and checks what must always hold.");
  app.add_option("--seeds", options.seeds, "How many seeds to run")->capture_default_str();
  app.add_option("--first", options.first, "The first of them")->capture_default_str();
  app.add_option("--seed", options.seed, "Run this one alone, and show where it fails");
  app.add_option("--profile", options.profile, "Instead of the kind of story that a seed chooses")
      ->check([](const std::string& name) {
        const auto profile = parse_profile(name);
        return profile ? "" : profile.error().message;
      });
  app.add_option("--events", options.events, "Things that happen in a run")->capture_default_str();
  app.add_option("--jobs", options.jobs, "Processes")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_flag("--twice", options.twice, "Run each seed twice: both must be the same run");
  app.add_flag("--planted", options.planted, "Break each rule in turn: the recorded seeds notice");
  app.add_flag("--search-planted", options.search_planted, "Look for seeds to record");
  app.add_option("--bug", options.bug, "Break this rule (a switch of Policy)");
  CLI11_PARSE(app, argc, argv);

  if (options.planted) {
    const bool stories_good = all_stories_end_as_they_must();
    return all_planted_bugs_are_caught(options.jobs) && stories_good ? 0 : 1;
  }
  if (options.search_planted) {
    search_planted_bugs(options.bug, options.jobs);
    return 0;
  }
  if (options.seed) return run_one(options);
  if (options.twice) return run_twice(options);
  return run_many(options);
}
