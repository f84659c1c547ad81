// tests/simulation/faults.h - what the world does to the cluster until the calm end: crashes,
// lost disks, pauses, partitions, clocks that jump, applications that stop.

#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "tests/simulation/process.h"

namespace zap::simulation {

class Faults {
 public:
  Faults(World& world, std::vector<std::unique_ptr<Process>>& processes, Random random);

  void begin();
  /// No fault from now on; what is broken is mended: all processes run, all links carry.
  void end();

  /// Nodes that lost synced records, or found them corrupt.
  std::size_t amnesiacs() const { return forgetful_.size(); }

 private:
  /// Does `fault` again and again, at random times around the mean.
  void repeat(Duration mean, void (Faults::*fault)());
  void crash();
  void partition();
  void pause();
  void jump_clock();
  void stop_applications();

  void start(Place place);
  void lose_synced(Process& process);
  void cut(Scenario::Cut kind);
  void cut_both(Place a, Place b);

  World& world_;
  std::vector<std::unique_ptr<Process>>& processes_;
  Random random_;
  bool over_ = false;
  std::set<NodeId> forgetful_;
};

}  // namespace zap::simulation
