#include "tests/simulation/planted_bugs.h"

#include <cstdio>
#include <string>

namespace zap::simulation {

namespace {

constexpr std::size_t kSeedsEnough = 8;
constexpr std::uint64_t kSearched = 600;

Job job_of(const PlantedBug& bug, std::uint64_t seed) {
  Job job{.seed = seed, .profile = bug.profile};
  bug.plant(job.sabotage);
  return job;
}

bool passes_without_bug(Job job) {
  job.sabotage = {};
  bool passes = false;
  run_all({job}, 1, false, [&passes](const Job&, const RunResult& result) {
    passes = result.failure.empty();
    return false;
  });
  return passes;
}

}  // namespace

const std::vector<PlantedBug>& planted_bugs() {
#define BUG(rule, place, profile, ...)                                                        \
  {                                                                                           \
#rule, [](Sabotage & sabotage) { sabotage.place = 1; }, Profile::profile, { __VA_ARGS__ } \
  }
#define POLICY(rule, profile, ...) BUG(rule, policy.rule, profile, __VA_ARGS__)
#define OUTSIDE(rule, profile, ...) BUG(rule, rule, profile, __VA_ARGS__)
  static const std::vector<PlantedBug> kBugs = {
      POLICY(quorum_less, kSwarm, 1, 2, 3, 4, 5, 6, 7, 8),
      POLICY(literal_two_f_plus_one, kSwarm, 3, 4, 5, 7, 10, 11, 14, 17),
      POLICY(count_messages_not_values, kTraitors, 15, 25, 28, 35),
      POLICY(vote_after_leaving_view, kSwarm, 2, 7, 9, 10, 11, 12, 13, 14, 16, 17),
      POLICY(accept_second_digest, kTraitors, 15, 17, 25, 28),
      POLICY(window_twice_as_wide, kSwarm, 12, 26, 32, 61),
      POLICY(clock_unbounded, kTraitors, 17, 25, 72, 120, 127, 128, 158, 162),
      POLICY(new_view_takes_lowest_view, kSwarm, 233, 238, 260, 289),
      POLICY(new_view_takes_lowest_checkpoint, kSwarm, 155, 220, 255, 289, 317, 620),
      POLICY(new_view_without_nulls, kSwarm, 2, 9, 12, 31, 40, 49, 51, 54, 77, 85, 105, 114),
      POLICY(new_view_unchecked, kTraitors, 1, 2, 9, 24),
      POLICY(election_timer_never_fires, kTraitors, 24, 67, 119, 139, 149, 177, 187, 32),
      POLICY(view_changes_said_once, kSwarm, 31, 34, 36, 62, 79, 87, 95, 114),
      POLICY(no_deduplication, kSwarm, 55, 57, 114, 116, 119, 126, 146, 225),
      POLICY(timestamp_as_proposed, kSwarm, 9, 11, 12, 13, 25, 31, 45, 46, 49, 51),
      POLICY(deadlines_ignored, kSwarm, 2, 17, 31, 32, 36, 39, 44, 46, 63, 71),
      POLICY(keys_age_by_own_clock, kSwarm, 6, 12, 23, 26, 29, 51, 61, 67),
      POLICY(keys_refused_at_receipt, kSwarm, 2, 4, 6, 8, 15, 17, 19, 23),
      POLICY(keys_forgotten_on_restart, kRestarts, 1, 5, 6, 7, 8, 12, 14, 16),
      POLICY(collect_before_stable, kSwarm, 3, 4, 8, 10, 12, 15, 19, 20, 23),
      POLICY(checkpoint_covers_view, kSwarm, 3, 4, 8, 12, 15, 19, 20, 23, 24),
      POLICY(believe_one_word, kTraitors, 9, 31, 66, 74, 79, 88, 131, 155, 156),
      POLICY(pool_unbounded, kTraitors, 20, 110, 351),
      POLICY(amnesia_without_window, kAmnesia, 2, 5, 6, 18, 22, 28, 30, 36),
      OUTSIDE(vote_before_durable, kSwarm, 1, 2, 3, 4, 5, 6, 7, 8),
      OUTSIDE(decisions_out_of_order, kSwarm, 2, 3, 4, 5, 6, 7, 8, 9, 10),
      OUTSIDE(no_status, kSwarm, 5, 8, 19, 23, 24, 30, 37, 40, 43, 77, 79),
      OUTSIDE(no_fetch, kTraitors, 7, 8, 9, 17, 18, 22, 24, 31),
      OUTSIDE(no_forwarding, kCalm, 4, 8, 13, 16, 18, 23, 27, 29),
      OUTSIDE(no_certificates_in_view_change, kSwarm, 2, 7, 9, 11, 13, 17, 23, 29),
      OUTSIDE(horizon_untold, kAmnesia, 2, 4, 5, 6, 12, 18, 22, 28),
      OUTSIDE(forget_votes_on_restart, kSwarm, 5, 13, 16, 18, 25, 26, 36, 43, 55, 61),
      OUTSIDE(forget_view_on_restart, kRestarts, 5, 12, 49, 66, 67, 89, 101, 116, 117, 131, 173,
              263),
      OUTSIDE(forget_view_change_on_restart, kRestarts, 230, 234, 246, 283, 294, 301, 316, 317),
      OUTSIDE(incarnation_not_raised, kRestarts, 9, 72, 120, 129, 174, 224, 230, 246, 263, 282),
      OUTSIDE(vote_after_amnesia, kAmnesia, 2, 4, 5, 6, 9, 12, 16, 17, 18),
      OUTSIDE(payloads_unverified, kTraitors, 28, 29, 45, 62, 79, 91, 131, 163),
      OUTSIDE(certificates_unverified, kTraitors, 25, 151, 174, 193, 201, 230, 265, 351),
  };
#undef OUTSIDE
#undef POLICY
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
