// proxy/ports.h - what the driver needs of the world, in the real process: the log, the peers, the
// signer, the clocks and one timer.
//
// Decisions and notices go on to whoever was named.
//
// Threads: lives on the main loop.

#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "proxy/driver.h"
#include "proxy/face/phase_times.h"
#include "proxy/log/log_keeper.h"
#include "proxy/net/event_loop.h"
#include "proxy/peers/crypto.h"
#include "proxy/peers/peers.h"

namespace zap {

class Ports final : public DriverPorts {
 public:
  /// In whose name messages are signed.
  struct Identity {
    ClusterId cluster;
    NodeId self = 0;
    Signer signer;
  };
  struct Sinks {
    std::function<void(const Decision&)> decided;
    std::function<void(const Notice&)> notice;
    std::function<void()> wake;  ///< the time that the engine asked for has come
  };

  /// All outlive the ports.
  Ports(EventLoop& loop, LogKeeper& log, Peers& peers, Identity identity, PhaseTimes& phase_times,
        Sinks sinks);

  void append_to_log(std::vector<Record> records) override;
  void sync_log() override;
  void sign(Message& message) override;
  void send(NodeId peer, const MessagePtr& message) override;
  void serve_from_log(const Serve& request) override;
  void decided(const Decision& decision) override { sinks_.decided(decision); }
  void notice(const Notice& notice) override;
  void wake_at(Instant when) override { wake_.at(when); }
  Now now() override { return read_clocks(); }

 private:
  LogKeeper& log_;
  Peers& peers_;
  const Identity identity_;
  PhaseTimes& phase_times_;
  const Sinks sinks_;
  Timer wake_;
};

}  // namespace zap
