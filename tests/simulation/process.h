// tests/simulation/process.h - one node's life: the real engine under the real driver, over a
// simulated disk, network, application and clients. It dies and starts again from its disk.

#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "consensus/pbft/replica.h"
#include "proxy/driver.h"
#include "tests/simulation/application.h"
#include "tests/simulation/byzantine.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/gate.h"
#include "tests/simulation/history.h"
#include "tests/simulation/network.h"
#include "tests/simulation/promises.h"
#include "tests/simulation/sabotage.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/trace.h"

namespace zap::simulation {

/// What all processes of a run share.
struct World {
  const Scenario& scenario;
  const Sabotage sabotage;
  Scheduler& scheduler;
  Network& network;
  const Gate& gate;
  const test::FakeKeys& keys;
  Conspiracy& conspiracy;
  History& history;
  Promises& promises;
  Marks& marks;
  Trace& trace;
  Verdict& verdict;
  const std::vector<NodeId> places;
};

class Process final : private DriverPorts {
 public:
  Process(Place place, World& world, Random random);

  bool is_up() const { return engine_ != nullptr; }
  bool is_correct() const { return !byzantine_; }
  NodeId id() const { return id_; }

  void start();
  void crash();
  /// Dies at the `effects`-th effect from now: between a write and a send, say.
  void crash_within_step(std::uint64_t effects) { fuse_ = effects; }
  void pause_for(Duration duration);
  /// No longer paused, nor about to die.
  void recover() {
    paused_until_ = {};
    fuse_.reset();
  }
  void jump_clock(Duration by) { wall_offset_ += by; }
  void correct_clock() { wall_offset_ = {}; }

  void deliver(Place from, const EnvelopePtr& envelope);
  void connected(Place peer);
  /// A client's turn: submits up to `calls` where there is room.
  void client_turn(std::uint64_t calls);

  /// Calls of this life that the order does not hold yet.
  std::size_t undecided();
  EngineState state() const { return engine_->state(); }
  void check_invariants() const { engine_->check_invariants(); }
  std::string dump() const;
  /// Started with a log that is shorter than its mark, and has not said so yet.
  bool hides_amnesia() const { return hides_amnesia_; }
  /// Has heard from the others since its start, and is not held back by what its log may lack.
  bool votes() const { return !recovers_ && state().phase != EngineState::Phase::kStarting; }
  /// Found its log corrupt, so stays down for good.
  bool is_corrupt() const { return disk_.is_corrupt(); }
  Disk& disk() { return disk_; }
  Application& application() { return application_; }

 private:
  // DriverPorts: each is an effect, at which the process may die.
  void append_to_log(std::vector<Record> records) override;
  void sync_log() override;
  void sign(Message& message) override;
  void send(NodeId peer, const MessagePtr& message) override;
  void serve_from_log(const Serve& request) override;
  void decided(const Decision& decision) override;
  void notice(const Notice& notice) override;
  void wake_at(Instant when) override;
  Now now() override;

  bool survives_effect();
  /// Runs `work` on the engine now, or after the pause.
  void handle(std::function<void()> work);
  void after_work();
  void transmit(NodeId peer, const EnvelopePtr& envelope);
  void observe(const Message& message);
  void set_alarm(Instant when);
  void give_key(Operation& operation);

  const Place place_;
  const NodeId id_;
  World& world_;
  Random random_;
  const test::Signer signer_;
  std::optional<Byzantine> byzantine_;
  Disk disk_;
  Application application_;

  std::uint64_t life_ = 0;  ///< what an earlier life planned no longer happens
  Incarnation incarnation_ = 0;
  std::unique_ptr<Engine> engine_;  ///< none: the process is down
  std::unique_ptr<Driver> driver_;
  LogPosition log_base_ = 0;  ///< size of the log when this life began
  std::optional<std::uint64_t> fuse_;
  bool dying_ = false;
  bool working_ = false;  ///< inside of handle()
  Instant paused_until_{};
  Duration wall_offset_{};
  Instant wake_at_ = kNever;
  Instant alarm_ = kNever;  ///< the earliest planned look at wake_at_
  std::uint64_t steps_ = 0;
  bool hides_amnesia_ = false;
  bool recovers_ = false;  ///< from amnesia
  View wants_view_ = 0;    ///< asked for, not yet working; or 0

  Random keys_random_;  ///< of its own: what has no keys is drawn as if there were none
  std::uint64_t next_number_ = 1;
  std::deque<OperationId> undecided_;
  EnvelopePtr last_envelope_;  ///< the message that is being sent to one peer after the other
};

}  // namespace zap::simulation
