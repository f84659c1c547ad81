#include "tests/simulation/faults.h"

#include <algorithm>

namespace zap::simulation {

Faults::Faults(World& world, std::vector<std::unique_ptr<Process>>& processes, Random random)
    : world_(world), processes_(processes), random_(random) {}

void Faults::begin() {
  repeat(world_.scenario.crashes.mean, &Faults::crash);
  repeat(world_.scenario.partitions.mean, &Faults::partition);
  repeat(world_.scenario.pauses.mean, &Faults::pause);
  repeat(world_.scenario.clock_jumps.mean, &Faults::jump_clock);
  repeat(world_.scenario.application_stops.mean, &Faults::stop_applications);
}

void Faults::end() {
  over_ = true;
  for (const auto& process : processes_) {
    process->recover();
    // No other can lead in its place: what a fixed leader proposes while its clock is ahead waits.
    if (world_.scenario.settings.fixed_leader) process->correct_clock();
    process->disk().calm_down();
    process->application().calm_down();
  }
  world_.network.calm_down();
  world_.network.mend_all();
  for (Place place = 0; place < processes_.size(); ++place) start(place);
}

void Faults::repeat(Duration mean, void (Faults::*fault)()) {
  if (mean == Duration{}) return;
  world_.scheduler.after(random_.between(mean / 4, 2 * mean), [this, mean, fault] {
    if (over_) return;
    (this->*fault)();
    repeat(mean, fault);
  });
}

void Faults::start(Place place) {
  Process& process = *processes_[place];
  if (process.is_up()) return;
  process.start();
  for (Place peer = 0; peer < processes_.size(); ++peer) {
    if (peer == place || !processes_[peer]->is_up()) continue;
    if (!world_.network.is_open(place, peer) || !world_.network.is_open(peer, place)) continue;
    process.connected(peer);
    processes_[peer]->connected(place);
  }
}

void Faults::crash() {
  const Place place = random_.below(processes_.size());
  Process& process = *processes_[place];
  if (!process.is_up()) return;
  if (random_.chance(world_.scenario.crash_within_step)) {
    process.crash_within_step(random_.below(40));
  } else {
    process.crash();
  }
  const Duration down = random_.between(Duration(1'000'000), world_.scenario.crashes.longest);
  world_.scheduler.after(down, [this, place] {
    if (over_) return;
    Process& dead = *processes_[place];
    if (dead.is_up()) return;  // the fuse has not burnt down yet: see below
    if (random_.chance(0.5)) lose_synced(dead);
    start(place);
  });
  if (process.is_up()) {
    // One that dies within a later step is started again some time after that.
    world_.scheduler.after(2 * down + world_.scenario.crashes.longest, [this, place] {
      if (!over_) start(place);
    });
  }
}

void Faults::lose_synced(Process& process) {
  const Scenario& scenario = world_.scenario;
  if (scenario.amnesiacs == 0) return;
  if (forgetful_.count(process.id()) == 0 && forgetful_.size() >= scenario.amnesiacs) return;
  Disk& disk = process.disk();
  if (disk.size() == 0) return;
  if (random_.chance(scenario.flips)) {
    if (!disk.flip()) return;
    forgetful_.insert(process.id());
    return;
  }
  forgetful_.insert(process.id());
  disk.lose_from(scenario.wipes ? 0 : random_.below(disk.size()));
  world_.marks.reach(Mark::kSyncedLost);
  world_.trace.happened(world_.scheduler.now(), process.id(),
                        "its disk loses all after " + std::to_string(disk.size()));
}

void Faults::pause() {
  world_.marks.reach(Mark::kPause);
  processes_[random_.below(processes_.size())]->pause_for(
      random_.between(Duration(1'000'000), world_.scenario.pauses.longest));
}

void Faults::jump_clock() {
  world_.marks.reach(Mark::kClockJump);
  const Duration longest = world_.scenario.clock_jumps.longest;
  processes_[random_.below(processes_.size())]->jump_clock(random_.between({}, 2 * longest) -
                                                           longest);
}

void Faults::stop_applications() {
  const Duration longest = world_.scenario.application_stops.longest;
  if (world_.scenario.profile == Profile::kCalm) {
    for (const auto& process : processes_) process->application().stop_for(longest);
  } else {
    processes_[random_.below(processes_.size())]->application().stop_for(
        random_.between({}, longest));
  }
}

// ---------------------------------------------------------------- partitions

void Faults::partition() {
  world_.marks.reach(Mark::kPartition);
  world_.network.mend_all();
  cut(random_.pick(world_.scenario.cuts));
  const Duration length = random_.between(Duration(1'000'000), world_.scenario.partitions.longest);
  world_.scheduler.after(length, [this] { world_.network.mend_all(); });
}

void Faults::cut_both(Place a, Place b) {
  world_.network.cut(a, b);
  world_.network.cut(b, a);
}

void Faults::cut(Scenario::Cut kind) {
  const std::size_t count = processes_.size();
  std::vector<Place> order(count);
  for (Place place = 0; place < count; ++place) order[place] = place;
  random_.shuffle(order);
  const std::size_t half = random_.between(1, count - 1);
  world_.trace.happened(world_.scheduler.now(), order[0], "is on one side of a partition");
  switch (kind) {
    case Scenario::Cut::kHalves:
      for (std::size_t a = 0; a < half; ++a) {
        for (std::size_t b = half; b < count; ++b) cut_both(order[a], order[b]);
      }
      break;
    case Scenario::Cut::kRing:
      for (std::size_t a = 0; a < count; ++a) {
        for (std::size_t b = a + 2; b < count; ++b) {
          if (a > 0 || b + 1 < count) cut_both(order[a], order[b]);
        }
      }
      break;
    case Scenario::Cut::kBridge:
      // The first of the order sees both halves, which do not see each other.
      for (std::size_t a = 1; a < half; ++a) {
        for (std::size_t b = std::max<std::size_t>(half, 1); b < count; ++b) {
          cut_both(order[a], order[b]);
        }
      }
      break;
    case Scenario::Cut::kOneWay:
      for (std::size_t b = 1; b < count; ++b) {
        if (random_.chance(0.5)) world_.network.cut(order[0], order[b]);
      }
      break;
    case Scenario::Cut::kFlapping:
      for (Duration at{}; at < world_.scenario.partitions.longest; at += Duration(20'000'000)) {
        world_.scheduler.after(at, [this, a = order[0], b = order[1]] {
          if (over_) return;
          cut_both(a, b);
          world_.scheduler.after(Duration(10'000'000), [this, a, b] {
            world_.network.mend(a, b);
            world_.network.mend(b, a);
          });
        });
      }
      break;
    case Scenario::Cut::kAlone:
      for (std::size_t b = 1; b < count; ++b) cut_both(order[0], order[b]);
      break;
  }
}

}  // namespace zap::simulation
