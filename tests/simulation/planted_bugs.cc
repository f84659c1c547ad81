#include "tests/simulation/planted_bugs.h"

#include <cstdio>
#include <string>

namespace zap::simulation {

namespace {

constexpr std::size_t kSeedsEnough = 4;
constexpr std::uint64_t kSearched = 400;

Job job_of(const PlantedBug& bug, std::uint64_t seed) {
  Job job{.seed = seed, .profile = bug.profile};
  bug.plant(job.policy);
  return job;
}

bool passes_without_bug(Job job) {
  job.policy = {};
  bool passes = false;
  run_all({job}, 1, false, [&passes](const Job&, const RunResult& result) {
    passes = result.failure.empty();
    return false;
  });
  return passes;
}

}  // namespace

const std::vector<PlantedBug>& planted_bugs() {
#define BUG(rule, profile, ...)                                                              \
  {                                                                                          \
#rule, [](pbft::Policy & policy) { policy.rule = 1; }, Profile::profile, { __VA_ARGS__ } \
  }
  static const std::vector<PlantedBug> kBugs = {
      BUG(quorum_less, kSwarm, 1, 2, 3, 4),
      BUG(literal_two_f_plus_one, kSwarm, 4, 5, 6, 7),
      BUG(count_messages_not_values, kTraitors, 11, 16, 28, 34),
      BUG(vote_before_durable, kSwarm, 1, 2, 3, 4),
      BUG(vote_after_leaving_view, kSwarm, 1, 2, 11, 12),
      BUG(accept_second_digest, kTraitors, 2, 11, 16, 27),
      BUG(forget_view_on_restart, kRestarts, 28, 75, 117, 123),
      BUG(forget_votes_on_restart, kSwarm, 1, 13, 15, 18),
      BUG(new_view_takes_lowest_view, kSwarm, 126, 138, 144, 214),
      BUG(new_view_without_nulls, kSwarm, 11, 34, 36, 62),
      BUG(new_view_unchecked, kTraitors, 1, 18, 21, 43),
      BUG(no_certificates_in_view_change, kSwarm, 1, 2, 3, 7),
      BUG(no_join_on_weak_quorum, kTraitors, 31),
      BUG(election_timer_never_fires, kTraitors, 1, 2, 13, 21),
      BUG(execute_out_of_order, kSwarm, 1, 2, 3, 7),
      BUG(no_deduplication, kSwarm, 18, 22, 34, 35),
      BUG(timestamp_as_proposed, kSwarm, 2, 11, 18, 25),
      BUG(collect_before_stable, kSwarm, 4, 5, 6, 7),
      BUG(checkpoint_covers_view, kSwarm, 4, 5, 6, 7),
      BUG(no_status, kSwarm, 6, 10, 12, 19),
      BUG(believe_one_word, kTraitors, 3, 38, 40, 57),
      BUG(no_fetch, kTraitors, 3, 4, 12, 16),
      BUG(timers_on_own_calls_only, kTraitors, 30, 55, 57, 125),
      BUG(no_forwarding, kCalm, 6, 13, 15, 18),
      BUG(payloads_unverified, kTraitors, 14, 31, 34, 40),
      BUG(vote_after_amnesia, kAmnesia, 1, 4, 6, 10),
  };
#undef BUG
  return kBugs;
}

bool all_planted_bugs_are_caught(unsigned processes) {
  bool all = true;
  for (const PlantedBug& bug : planted_bugs()) {
    std::vector<Job> jobs;
    for (const std::uint64_t seed : bug.seeds) jobs.push_back(job_of(bug, seed));
    bool caught = false;
    run_all(jobs, processes, false, [&](const Job& job, const RunResult& result) {
      caught = !result.failure.empty();
      if (caught) {
        std::printf("%-32s seed %-6llu %s\n", std::string(bug.name).c_str(),
                    static_cast<unsigned long long>(job.seed), result.failure.c_str());
      }
      return !caught;
    });
    if (!caught) {
      std::printf("%-32s NOT CAUGHT by %zu seeds\n", std::string(bug.name).c_str(), jobs.size());
      all = false;
    }
  }
  return all;
}

void search_planted_bugs(std::string_view only, unsigned processes) {
  for (const PlantedBug& bug : planted_bugs()) {
    if (!only.empty() && bug.name != only) continue;
    std::vector<Job> jobs;
    for (std::uint64_t seed = 1; seed <= kSearched; ++seed) jobs.push_back(job_of(bug, seed));
    std::string found;
    std::string example;
    std::size_t count = 0;
    std::size_t tried = 0;
    run_all(jobs, processes, false, [&](const Job& job, const RunResult& result) {
      ++tried;
      if (result.failure.empty() || !passes_without_bug(job)) return true;
      found += ", " + std::to_string(job.seed);
      if (example.empty()) example = result.failure;
      return ++count < kSeedsEnough;
    });
    std::printf("BUG(%s, %s%s)  // %zu of %zu; %s\n", std::string(bug.name).c_str(),
                std::string(to_string(bug.profile)).c_str(), found.c_str(), count, tried,
                example.substr(0, 150).c_str());
    std::fflush(stdout);
  }
}

}  // namespace zap::simulation
