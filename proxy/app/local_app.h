// proxy/app/local_app.h - one application beside us, with all that belongs to it: the applier that
// hands it ordered calls, the reads that it answers, and the memory of what it has.
//
// Threads: lives on the main loop.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "core/membership.h"
#include "core/result.h"
#include "proxy/answers/comparisons.h"
#include "proxy/app/app_progress.h"
#include "proxy/app/applier.h"
#include "proxy/app/local_reads.h"
#include "proxy/face/metrics.h"
#include "proxy/run.h"

namespace zap {

/// What an application's observers do with what it says.
struct LocalAppEvents {
  std::function<void(const AppAnswer&)> answered;
  std::function<void(bool full)> backlog;
};

class LocalApp final : public ApplierObserver {
 public:
  /// The app of `listeners`, which all name the same one. All references outlive it.
  static Result<std::unique_ptr<LocalApp>> make(
      EventLoop& loop, const config::Config& config,
      const std::vector<const config::Listener*>& listeners, const Membership& membership,
      const Comparisons& comparisons, DecisionSource& source, Supervisor* supervisor,
      const RunOptions& options, Metrics& metrics, LocalAppEvents events);

  Applier& applier() { return *applier_; }
  LocalReads& reads() { return *reads_; }
  const Address& address() const { return address_; }
  bool serves(std::string_view listener) const;
  bool is_full() const { return full_; }
  AppHealth health() const { return applier_->health(); }

  /// Logs when the application has come or gone. To be called now and then.
  void watch();

 private:
  LocalApp(Address address, LocalAppEvents events)
      : address_(std::move(address)), events_(std::move(events)) {}

  void answered(const AppAnswer& answer) override { events_.answered(answer); }
  void applied_up_to(Index index) override { reads_->applied_up_to(index); }
  void backlog(bool full) override;

  const Address address_;
  std::vector<std::string> listeners_;
  const LocalAppEvents events_;
  bool full_ = false;
  AppHealth::State seen_ = AppHealth::State::kStarting;  ///< by watch()

  std::unique_ptr<AppProgress> progress_;
  std::unique_ptr<Applier> applier_;
  std::unique_ptr<LocalReads> reads_;
};

}  // namespace zap
