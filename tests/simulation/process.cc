#include "tests/simulation/process.h"

#include <utility>

#include "tests/simulation/new_view_reference.h"
#include "tests/support/describe.h"

namespace zap::simulation {

namespace {

constexpr WallTime kWallStart = 1'700'000'000'000'000'000;
constexpr std::size_t kServedAtOnce = 64;

}  // namespace

Process::Process(Place place, World& world, Random random)
    : place_(place),
      id_(world.places[place]),
      world_(world),
      random_(random),
      signer_(world.keys.signer_of(id_)),
      disk_(world.scenario.disk, world.scheduler, random_.fork()),
      application_(world.scenario.apply_max, world.scheduler, random_.fork(),
                   [this](const Backlog& backlog) {
                     if (backlog.full) world_.marks.reach(Mark::kApplicationBehind);
                     handle([this, backlog] { driver_->step(backlog); });
                   }),
      keys_random_(scrambled(world.scenario.seed) + place) {
  if (const Traitor* traitor = world.scenario.traitor(id_)) {
    byzantine_.emplace(world.scenario, traitor->treachery, world.gate, signer_, world.conspiracy,
                       random_.fork());
  }
  const Duration skew = world.scenario.clock_skew;
  wall_offset_ = random_.between({}, 2 * skew) - skew;
}

// ---------------------------------------------------------------- life and death

void Process::start() {
  ++life_;
  if (incarnation_ == 0 || !world_.sabotage.incarnation_not_raised) ++incarnation_;
  next_number_ = 1;
  undecided_.clear();
  fuse_.reset();
  dying_ = false;
  steps_ = 0;
  wants_view_ = 0;
  recovers_ = false;
  wake_at_ = alarm_ = kNever;
  log_base_ = disk_.size();
  if (is_correct()) {
    world_.history.restarted(place_);
    world_.promises.restarted(id_, disk_);
  }

  pbft::Restorer restorer(world_.scenario.settings.cluster, world_.sabotage.policy);
  for (const pbft::Record& record : disk_.records()) {
    const Result<std::optional<Decision>> replayed = restorer.add(record);
    if (!replayed && disk_.is_corrupt()) {
      world_.marks.reach(Mark::kCorruptionFound);
      world_.trace.happened(world_.scheduler.now(), place_, replayed.error().message);
      return;  // and stays down: what it said may be in what it cannot read
    }
    if (!replayed) {
      world_.verdict.fail("node " + std::to_string(id_) +
                          ": its log contradicts itself: " + replayed.error().message);
      return;
    }
    if (*replayed && is_correct()) world_.history.executed(place_, **replayed);
  }
  hides_amnesia_ = disk_.lost_vote().has_value();
  recovers_ = hides_amnesia_;
  pbft::Restored restored = std::move(restorer).finish(incarnation_, disk_.lost_vote());
  if (disk_.is_corrupt()) {
    world_.verdict.fail("node " + std::to_string(id_) + " does not see that its log is corrupt");
    return;
  }
  sabotage(world_.sabotage, restored);
  if (life_ > 1) {
    world_.marks.reach(Mark::kRestart);
    if (!restored.active) world_.marks.reach(Mark::kRestartInViewChange);
    world_.trace.happened(world_.scheduler.now(), place_,
                          "starts again at view " + std::to_string(restored.view) +
                              (restored.active ? "" : " (inactive)") + ", slot " +
                              std::to_string(restored.ledger.last_seq()));
  }

  pbft::Settings settings = world_.scenario.settings;
  settings.self = id_;
  engine_ = make_sabotaged(
      world_.sabotage, pbft::make_replica(settings, std::move(restored), world_.sabotage.policy));
  driver_ = std::make_unique<Driver>(id_, *engine_, static_cast<DriverPorts&>(*this));
  handle([this] { driver_->step(Tick{}); });
}

void Process::crash() {
  if (!is_up()) return;
  driver_.reset();
  engine_.reset();
  last_envelope_.reset();
  const LogPosition before = disk_.size();
  disk_.crash();
  if (disk_.size() < before) world_.marks.reach(Mark::kUnsyncedLost);
  application_.restart();
  paused_until_ = {};
  world_.trace.happened(
      world_.scheduler.now(), place_,
      "dies, its log at " + std::to_string(disk_.size()) + " of " + std::to_string(before));
}

void Process::pause_for(Duration duration) {
  paused_until_ = std::max(paused_until_, world_.scheduler.now() + duration);
}

void Process::handle(std::function<void()> work) {
  if (!is_up()) return;
  if (world_.scheduler.now() < paused_until_) {
    world_.scheduler.at(paused_until_, [this, life = life_, work = std::move(work)] {
      if (life == life_) handle(work);
    });
    return;
  }
  if (working_) return work();  // the driver only queues what comes during a step
  working_ = true;
  work();
  working_ = false;
  after_work();
}

void Process::after_work() {
  if (dying_) {
    world_.marks.reach(Mark::kCrashWithinStep);
    return crash();
  }
  if (is_correct()) world_.promises.stands(id_, engine_->state());
  if (++steps_ % 256 == 0) engine_->check_invariants();
}

bool Process::survives_effect() {
  if (dying_) return false;
  if (fuse_ && (*fuse_)-- == 0) dying_ = true;
  return !dying_;
}

// ---------------------------------------------------------------- what comes in

void Process::deliver(Place from, const EnvelopePtr& envelope) {
  if (!is_up()) return;
  handle([this, from, envelope] {
    if (engine_->is_superfluous(*envelope->message)) return;
    if (!world_.gate.passes(*envelope, id_)) {
      world_.marks.reach(Mark::kForgeryRefused);
      if (!world_.scenario.is_traitor(envelope->from)) {
        world_.verdict.fail("the gate refuses what correct node " + std::to_string(envelope->from) +
                            " said: " + world_.gate.refusal() + ": " +
                            test::describe(*envelope->message));
      }
      return;
    }
    if (byzantine_ && !byzantine_->hears(envelope->message)) return;
    world_.trace.delivered(world_.scheduler.now(), from, place_, envelope);
    driver_->step(Receive{envelope->from, envelope->message});
  });
}

void Process::connected(Place peer) {
  handle([this, peer] { driver_->step(Connected{world_.places[peer]}); });
}

void Process::client_turn(std::uint64_t calls) {
  handle([this, calls] {
    if (application_.is_full()) return;
    const std::size_t room = engine_->room();
    if (room < calls) world_.marks.reach(Mark::kRoomExhausted);
    Submit submit;
    for (std::uint64_t i = 0; i < calls && i < room; ++i) {
      const bool is_short = random_.chance(world_.scenario.short_deadlines);
      Operation operation{.id = {id_, incarnation_, next_number_++}};
      operation.deadline =
          now().wall + Duration(is_short ? std::chrono::milliseconds(random_.below(500))
                                         : std::chrono::hours(24))
                           .count();
      operation.method = "simulated";
      operation.payload = std::to_string(random_.next() % 1000) + " at " + std::to_string(place_);
      give_key(operation);
      if (is_correct()) {
        world_.history.submitted(operation, digest_of(operation));
        undecided_.push_back(operation.id);
      }
      submit.operations.push_back(std::move(operation));
    }
    if (!submit.operations.empty()) driver_->step(std::move(submit));
  });
}

/// Clients of all nodes choose from the same keys: a retry goes anywhere.
void Process::give_key(Operation& operation) {
  const bool barrier = keys_random_.chance(world_.scenario.barriers);
  if (barrier) operation.kind = OperationKind::kBarrier;
  if (barrier || !keys_random_.chance(world_.scenario.keyed)) return;
  const std::uint64_t key = keys_random_.below(world_.scenario.keys);
  const std::uint64_t request = keys_random_.chance(0.9) ? 0 : 1;
  operation.once = OnceKey{Hasher("simulated key").add(key).finish(),
                           Hasher("simulated request").add(request).finish()};
}

std::size_t Process::undecided() {
  std::erase_if(undecided_,
                [this](const OperationId& id) { return world_.history.is_decided(id); });
  return undecided_.size();
}

// ---------------------------------------------------------------- what goes out

void Process::append_to_log(std::vector<Record> records) {
  if (!survives_effect()) return;
  if (is_correct()) {
    for (const Record& record : records) {
      world_.promises.wrote(id_, record);
      if (const auto* decided = std::get_if<pbft::Decided>(&record)) {
        world_.history.recorded(place_, *decided);
      }
    }
  }
  disk_.append(std::move(records));
}

void Process::sync_log() {
  if (!survives_effect()) return;
  disk_.sync([this, life = life_](LogPosition durable) {
    handle([this, life, durable] {
      if (life == life_) driver_->log_is_durable(durable - log_base_);
    });
  });
}

void Process::sign(Message& message) { world_.gate.sign(signer_, message); }

void Process::send(NodeId peer, const MessagePtr& message) {
  if (!survives_effect()) return;
  if (byzantine_) {
    const NodeId leader = world_.gate.leader_of(engine_->state().view);
    for (Byzantine::Utterance& said : byzantine_->says(peer, message, leader)) {
      const auto envelope = std::make_shared<const Envelope>(Envelope{id_, said.message, {}});
      if (said.delay == Duration{}) {
        transmit(peer, envelope);
      } else {
        world_.scheduler.after(said.delay, [this, peer, envelope] { transmit(peer, envelope); });
      }
    }
    return;
  }
  if (!last_envelope_ || last_envelope_->message != message) {
    last_envelope_ = std::make_shared<const Envelope>(Envelope{id_, message, {}});
    world_.promises.said(id_, *message, disk_, engine_->state());
    observe(*message);
  }
  transmit(peer, last_envelope_);
}

void Process::transmit(NodeId peer, const EnvelopePtr& envelope) {
  for (Place to = 0; to < world_.places.size(); ++to) {
    if (world_.places[to] == peer) world_.network.send(place_, to, envelope);
  }
}

void Process::observe(const Message& message) {
  Marks& marks = world_.marks;
  if (const auto* bundle = std::get_if<pbft::Bundle>(&message)) {
    if (bundle->proof->origin != id_) marks.reach(Mark::kCallsForwarded);
  } else if (std::holds_alternative<pbft::StableCheckpoint>(message)) {
    marks.reach(Mark::kStableProofSent);
  } else if (std::holds_alternative<pbft::FetchBatches>(message)) {
    marks.reach(Mark::kBatchesFetched);
  } else if (std::holds_alternative<pbft::FetchCalls>(message)) {
    marks.reach(Mark::kCallsFetched);
  } else if (std::holds_alternative<pbft::Shown>(message)) {
    marks.reach(Mark::kShownToReturning);
  } else if (const auto* view = std::get_if<pbft::NewView>(&message)) {
    if (!view->reproposals.empty()) marks.reach(Mark::kNewViewReproposes);
    if (reference_new_view(view->view_changes).had_choice) {
      marks.reach(Mark::kNewViewChoosesAmongCertificates);
    }
  }
}

void Process::serve_from_log(const Serve& request) {
  if (!survives_effect()) return;
  std::vector<pbft::BatchContent> contents =
      disk_.decided(request.first, request.last, kServedAtOnce);
  if (contents.empty()) return;
  if (request.what == Serve::What::kDigests) {
    pbft::DecidedDigests answer{.first = request.first};
    for (const auto& content : contents)
      answer.digests.push_back(disk_.decided_digest(content.seq));
    world_.marks.reach(Mark::kDecidedDigestsSent);
    send(request.to, std::make_shared<const Message>(std::move(answer)));
  } else {
    pbft::Batches answer{.contents = std::move(contents)};
    send(request.to, std::make_shared<const Message>(std::move(answer)));
  }
}

void Process::decided(const Decision& decision) {
  if (!survives_effect()) return;
  if (is_correct()) world_.history.executed(place_, decision);
  application_.take(decision);
}

void Process::notice(const Notice& notice) {
  if (dying_) return;
  Marks& marks = world_.marks;
  std::string what;
  switch (notice.kind) {
    case Notice::Kind::kViewChange:
      if (engine_->state().phase == EngineState::Phase::kViewChange && wants_view_ < notice.view &&
          wants_view_ > 0) {
        marks.reach(Mark::kViewChangeDuringViewChange);
      }
      wants_view_ = notice.view;
      what = "wants view " + std::to_string(notice.view);
      if (is_correct() && world_.scenario.profile == Profile::kCalm) {
        world_.verdict.fail("node " + std::to_string(id_) +
                            " changes the view although nothing is wrong with the leader");
      }
      break;
    case Notice::Kind::kNewView:
      wants_view_ = 0;
      marks.reach(Mark::kNewView);
      what = "enters view " + std::to_string(notice.view);
      break;
    case Notice::Kind::kStable:
      marks.reach(Mark::kCheckpointStable);
      what = "checkpoint " + std::to_string(notice.seq) + " is stable";
      break;
    case Notice::Kind::kCaughtUp:
      what = "has caught up";
      break;
    case Notice::Kind::kEquivocation:
      marks.reach(Mark::kEquivocationSeen);
      what = "caught node " + std::to_string(notice.node) + ": " + notice.text;
      if (is_correct() && !world_.scenario.is_traitor(notice.node) &&
          world_.scenario.amnesiacs == 0) {
        world_.verdict.fail("node " + std::to_string(id_) + " accuses correct node " +
                            std::to_string(notice.node) + ": " + notice.text);
      }
      for (const Message& message : notice.evidence) {
        if (world_.gate.is_signed(notice.node, message)) continue;
        world_.verdict.fail("node " + std::to_string(id_) + " accuses node " +
                            std::to_string(notice.node) +
                            " of what it has not signed: " + test::describe(message));
      }
      break;
    case Notice::Kind::kAmnesia:
      marks.reach(Mark::kAmnesiaEntered);
      hides_amnesia_ = false;
      recovers_ = true;
      what = "has amnesia: " + notice.text;
      break;
    case Notice::Kind::kReturned:
      if (recovers_) marks.reach(Mark::kAmnesiaLeft);
      recovers_ = false;
      what = "votes again";
      break;
  }
  world_.trace.happened(world_.scheduler.now(), place_, std::move(what));
}

// ---------------------------------------------------------------- clocks

Now Process::now() {
  const Instant instant = world_.scheduler.now();
  const Duration since = instant.time_since_epoch() + wall_offset_;
  const WallTime wall = kWallStart + since.count();
  if (is_correct()) world_.history.clock_shows(wall);
  return {instant, wall};
}

void Process::wake_at(Instant when) {
  if (dying_) return;
  wake_at_ = when;
  if (when < alarm_) set_alarm(when);
}

void Process::set_alarm(Instant when) {
  alarm_ = when;
  world_.scheduler.at(when, [this, when, life = life_] {
    if (life != life_ || !is_up() || when != alarm_) return;
    alarm_ = kNever;
    if (wake_at_ > world_.scheduler.now()) {
      if (wake_at_ != kNever) set_alarm(wake_at_);
      return;
    }
    handle([this] { driver_->step(Tick{}); });
  });
}

std::string Process::dump() const { return is_up() ? engine_->dump() : "down\n"; }

}  // namespace zap::simulation
