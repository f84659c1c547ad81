// proxy/app/local_app.h - one application beside us, with all that belongs to it: the applier that
// hands it ordered calls, the reads that it answers, the answers that are kept for calls that come
// again, and the memory of what it has.
//
// Threads: lives on the main loop.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "core/membership.h"
#include "core/result.h"
#include "proxy/answers/comparisons.h"
#include "proxy/answers/kept_answers.h"
#include "proxy/app/app_progress.h"
#include "proxy/app/applier.h"
#include "proxy/app/local_reads.h"
#include "proxy/face/metrics.h"
#include "proxy/run.h"

namespace zap {

/// What an application's observers do with what it says.
struct LocalAppEvents {
  std::function<void(const AppAnswer&)> answered;
  std::function<void(const PlacedReads&, PlacedAnswers)> read_in_place;
  std::function<void(bool full)> backlog;
  LocalReads::AsOf as_of;
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
  /// The call was decided again under its key: it gets what was kept of the one at `first`, once
  /// that is executed here.
  void repeat(const CallPtr& call, Index first);
  AppHealth health() const { return applier_->health(); }

  /// Logs when the application has come or gone. To be called now and then.
  void watch();

 private:
  LocalApp(Address address, const config::Config& config, const Comparisons& comparisons,
           LocalAppEvents events)
      : address_(std::move(address)),
        self_(config.self),
        comparisons_(comparisons),
        events_(std::move(events)),
        kept_(config.idempotency.entries) {}

  PlacedReadsPtr reads_of(const CallPtr& barrier) const;
  void answer_repeated(const CallPtr& call, Index first);

  void answered(const AppAnswer& answer) override;
  void read_in_place(const PlacedReads& reads, PlacedAnswers answers) override {
    events_.read_in_place(reads, std::move(answers));
  }
  void applied_up_to(Index index) override;
  void backlog(bool full) override;

  const Address address_;
  const NodeId self_;
  const Comparisons& comparisons_;
  std::vector<std::string> listeners_;
  const LocalAppEvents events_;
  bool full_ = false;
  AppHealth::State seen_ = AppHealth::State::kStarting;  ///< by watch()

  KeptAnswers kept_;
  std::multimap<Index, CallPtr> repeated_;  ///< wait until the first call is executed here

  std::unique_ptr<AppProgress> progress_;
  std::unique_ptr<Applier> applier_;
  std::unique_ptr<LocalReads> reads_;
};

}  // namespace zap
