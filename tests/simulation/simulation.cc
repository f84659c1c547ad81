#include "tests/simulation/simulation.h"

#include <algorithm>
#include <sstream>

namespace zap::simulation {

Simulation::Simulation(Scenario scenario, const Sabotage& sabotage)
    : scenario_(std::move(scenario)),
      random_(scenario_.seed ^ 0x5eed),
      keys_(scenario_.seed),
      gate_(scenario_.settings, keys_, sabotage),
      promises_(scenario_, gate_, verdict_),
      history_(
          scenario_,
          [this](Seq seq, const Digest& digest) { return promises_.committers(seq, digest); },
          verdict_, marks_),
      trace_(scenario_.places().size()),
      network_(
          scenario_.places().size(), scenario_.network, scheduler_, random_.fork(),
          [this](Place from, Place to, const EnvelopePtr& envelope) {
            processes_[to]->deliver(from, envelope);
          },
          [this](Place a, Place b) {
            if (!processes_[a]->is_up() || !processes_[b]->is_up()) return;
            processes_[a]->connected(b);
            processes_[b]->connected(a);
          }),
      world_{scenario_, sabotage,    scheduler_,        network_,  gate_,
             keys_,     conspiracy_, history_,          promises_, marks_,
             trace_,    verdict_,    scenario_.places()},
      faults_(world_, processes_, random_.fork()),
      calls_left_(scenario_.calls_max) {
  for (Place place = 0; place < world_.places.size(); ++place) {
    processes_.push_back(std::make_unique<Process>(place, world_, random_.fork()));
  }
}

void Simulation::begin() {
  for (const auto& process : processes_) process->start();
  for (Place a = 0; a < processes_.size(); ++a) {
    for (Place b = 0; b < processes_.size(); ++b) {
      if (a != b) processes_[a]->connected(b);
    }
  }
  for (Place place = 0; place < processes_.size(); ++place) plan_client(place);
  faults_.begin();
}

void Simulation::plan_client(Place place) {
  const Duration pause = random_.between(scenario_.turns.mean / 4, 2 * scenario_.turns.mean);
  scheduler_.after(pause, [this, place] {
    const std::uint64_t calls = std::min(calls_left_, random_.between(1, scenario_.burst));
    if (calls == 0) return;
    calls_left_ -= calls;
    if (processes_[place]->is_up()) processes_[place]->client_turn(calls);
    plan_client(place);
  });
}

RunResult Simulation::run() {
  begin();
  const std::uint64_t faulty_events = scenario_.events * 3 / 5;
  const Instant faulty_end = scheduler_.now() + std::chrono::minutes(2);
  while (!verdict_.failed() && scheduler_.events() < faulty_events &&
         scheduler_.now() < faulty_end && scheduler_.run_one()) {
  }
  const Instant calm = scheduler_.now();
  if (!verdict_.failed()) wait_for_recovery();
  return {.failure = verdict_.failure(),
          .trace = trace_.hash(),
          .events = scheduler_.events(),
          .slots = history_.decided(),
          .recovery = recovered_ - calm,
          .marks = marks_};
}

void Simulation::wait_for_recovery() {
  faults_.end();
  // Each origin has one more call at least, so that nothing counts as recovered that only sleeps.
  calls_left_ = 0;
  for (const auto& process : processes_) process->client_turn(1);
  const Instant late = scheduler_.now() + (must_recover() ? kRecoveryMax : kHaltedFor);
  run_until(late, [this] { return has_recovered(); });
  for (const auto& process : processes_) {
    if (process->is_up()) process->check_invariants();
    if (process->is_correct() && process->hides_amnesia()) {
      verdict_.fail("node " + std::to_string(process->id()) +
                    " lost what it had said, and does not say so");
    }
  }
  if (!verdict_.failed() && !has_recovered() && must_recover()) {
    verdict_.fail("LIVENESS: a minute of calm is not enough; " + what_is_missing());
  }
  recovered_ = scheduler_.now();
  if (!verdict_.failed() && must_recover()) wait_for_votes();
}

/// Who left its view alone, or lost its log, must get back to a view in which it counts.
void Simulation::wait_for_votes() {
  if (!run_until(scheduler_.now() + kReturnMax, [this] { return all_vote(); })) {
    verdict_.fail("LIVENESS: two minutes of calm, and not all vote; " + what_is_missing());
  }
}

template <typename Done>
bool Simulation::run_until(Instant late, Done done) {
  const std::uint64_t events_max = scheduler_.events() + 40 * scenario_.events;
  while (!verdict_.failed() && scheduler_.now() < late) {
    if (scheduler_.events() % 64 == 0 && done()) return true;
    if (!scheduler_.run_one()) break;  // nobody will ever do anything again
    if (scheduler_.events() > events_max) {
      verdict_.fail("LIVENESS: endless chatter in the calm end; " + what_is_missing());
    }
  }
  return done();
}

bool Simulation::all_vote() const {
  return std::all_of(processes_.begin(), processes_.end(), [](const auto& process) {
    return !process->is_correct() || process->is_corrupt() ||
           process->state().phase == EngineState::Phase::kNormal;
  });
}

bool Simulation::must_recover() const {
  return faults_.amnesiacs() <= scenario_.settings.membership.quorum().faulty();
}

bool Simulation::has_recovered() const {
  for (Place place = 0; place < processes_.size(); ++place) {
    Process& process = *processes_[place];
    if (!process.is_correct() || process.is_corrupt()) continue;
    if (history_.executed_by(place) != history_.decided() || process.undecided() > 0) return false;
    if (!process.votes()) return false;
  }
  return true;
}

std::string Simulation::what_is_missing() const {
  std::ostringstream out;
  out << "of " << history_.decided() << " slots:";
  for (Place place = 0; place < processes_.size(); ++place) {
    Process& process = *processes_[place];
    if (!process.is_correct()) {
      out << " [" << place << " lies]";
      continue;
    }
    if (process.is_corrupt()) {
      out << " [" << place << " has stopped]";
      continue;
    }
    const EngineState state = process.state();
    out << " [" << place << " has " << history_.executed_by(place) << ", " << process.undecided()
        << " calls undecided, view " << state.view
        << (state.phase == EngineState::Phase::kViewChange ? "?" : "")
        << (process.votes() ? "" : ", does not vote") << "]";
  }
  return out.str();
}

std::string Simulation::report(const std::string& failure) const {
  std::ostringstream out;
  out << "\n"
      << describe(scenario_) << "FAILS after " << scheduler_.events() << " events:\n  " << failure
      << "\n\n"
      << trace_.diagram() << "\n";
  std::size_t shown = 0;
  for (Place place = 0; place < processes_.size() && shown < 2; ++place) {
    if (!processes_[place]->is_correct()) continue;
    out << "---- node " << place << "\n" << processes_[place]->dump() << "\n";
    ++shown;
  }
  out << "again: ./dev sim --seed " << scenario_.seed << " --profile "
      << to_string(scenario_.profile) << " --events " << scenario_.events << "\n";
  return out.str();
}

}  // namespace zap::simulation
