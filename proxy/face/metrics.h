// proxy/face/metrics.h - what /metrics shows: counters kept as things happen, gauges set when read.
//
// Every metric of the process is made here, by name and once; whoever counts holds a reference.
// `zap_consensus_*` are the names that dashboards of ZAP rely on; the rest is `zap_sidecar_*`.
//
// Threads: the main loop (counters themselves may be raised from any thread).

#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "config/methods.h"
#include "core/membership.h"
#include "core/time.h"

namespace zap {

/// The word of the configuration for a mode: "replicated", "linearizable", ...
std::string_view name_of(config::Mode mode);

/// For what is counted elsewhere: brings the counter up to `total`.
inline void raise_to(prometheus::Counter& counter, double total) {
  if (total > counter.Value()) counter.Increment(total - counter.Value());
}

class Metrics {
 private:
  prometheus::Registry registry_;  ///< before the references into it

 public:
  Metrics(const Membership& membership, std::string_view node, std::string_view version);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // consensus
  prometheus::Histogram& prepare_seconds;  ///< batch accepted until prepared certificate
  prometheus::Histogram& commit_seconds;   ///< prepared certificate until decided
  prometheus::Histogram& execute_seconds;  ///< decided until the local application answered
  prometheus::Histogram& reply_seconds;    ///< local answer until enough equal ones
  prometheus::Counter& operations;
  prometheus::Gauge& operations_per_second;
  prometheus::Gauge& term;
  prometheus::Gauge& commit_index;

  // clients
  prometheus::Gauge& clients;
  prometheus::Counter& clients_refused;
  prometheus::Gauge& calls_waiting;
  prometheus::Gauge& queue_bytes;

  // peers
  prometheus::Gauge& peers_up;
  prometheus::Counter& gate_failures;
  prometheus::Counter& view_changes;

  // log
  prometheus::Counter& log_records;
  prometheus::Counter& log_syncs;
  prometheus::Counter& log_bytes;

  // application
  prometheus::Gauge& applied_index;
  prometheus::Gauge& app_ready;
  prometheus::Gauge& app_diverged;
  prometheus::Gauge& app_blocked;
  prometheus::Gauge& app_nondeterministic;
  prometheus::Counter& answers_differ;

  /// A request that was answered; `code` is "ok" or an error code.
  void count_request(config::Mode mode, std::string_view code);
  /// Sets zap_consensus_leader: 1 for `name`, 0 for the others. Empty: no leader is known.
  void set_leader(std::string_view name);
  /// Proofs kept that `member` lies.
  void set_evidence(std::string_view member, std::size_t proofs);
  /// Call once a second: the rate shown is that of the last ten.
  void sample_rate();

  /// All of it, in Prometheus' text format.
  std::string text() const;

 private:
  static constexpr std::size_t kRateSeconds = 10;

  prometheus::Family<prometheus::Gauge>& leaders_;
  prometheus::Family<prometheus::Counter>& evidence_;
  prometheus::Family<prometheus::Counter>& requests_;
  std::map<std::string, prometheus::Gauge*, std::less<>> leader_by_name_;
  std::map<std::string, prometheus::Counter*, std::less<>> evidence_by_name_;
  std::map<std::pair<config::Mode, std::string>, prometheus::Counter*, std::less<>>
      requests_by_kind_;
  std::array<double, kRateSeconds> samples_{};
  std::size_t samples_taken_ = 0;
};

}  // namespace zap
