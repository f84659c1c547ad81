#include "proxy/face/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>

namespace zap {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

/// From 50 microseconds (one phase on one machine) to 10 seconds (the request time-out).
const Histogram::BucketBoundaries kSeconds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                              0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                              0.5,     1.0,    2.5,     5.0,    10.0};

Counter& counter(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

Gauge& gauge(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

/// Register() answers with the family that already has this name.
Histogram& phase(Registry& registry, const char* name) {
  return prometheus::BuildHistogram()
      .Name("zap_consensus_latency_seconds")
      .Help("Time that a batch of calls (prepare, commit) or a call (execute, reply) takes here")
      .Register(registry)
      .Add({{"phase", name}}, kSeconds);
}

}  // namespace

std::string_view name_of(config::Mode mode) {
  switch (mode) {
    case config::Mode::kReplicated:
      return "replicated";
    case config::Mode::kLinearizable:
      return "linearizable";
    case config::Mode::kLeader:
      return "leader";
    case config::Mode::kLocal:
      return "local";
    case config::Mode::kPassthrough:
      return "passthrough";
    case config::Mode::kReject:
      return "reject";
  }
  return "unknown";
}

Metrics::Metrics(const Membership& membership, std::string_view node, std::string_view version)
    : prepare_seconds(phase(registry_, "prepare")),
      commit_seconds(phase(registry_, "commit")),
      execute_seconds(phase(registry_, "execute")),
      reply_seconds(phase(registry_, "reply")),
      operations(counter(registry_, "zap_consensus_operations_total",
                         "Calls that were ordered and given an index")),
      operations_per_second(gauge(registry_, "zap_consensus_operations_per_second",
                                  "Calls ordered per second, over the last ten seconds")),
      term(gauge(registry_, "zap_consensus_term", "PBFT view or ZAB epoch")),
      commit_index(gauge(registry_, "zap_consensus_commit_index",
                         "Index of the last call that is decided here")),
      clients(gauge(registry_, "zap_sidecar_clients", "Client connections")),
      clients_refused(counter(registry_, "zap_sidecar_clients_refused_total",
                              "Client connections refused at limits.connections")),
      calls_waiting(gauge(registry_, "zap_sidecar_calls_waiting",
                          "Ordered calls of this node's clients that are not answered yet")),
      queue_bytes(gauge(registry_, "zap_sidecar_queue_bytes",
                        "Payload of those calls; limits.queue_bytes bounds it")),
      peers_up(gauge(registry_, "zap_sidecar_peers_up", "Other members connected to this one")),
      gate_failures(counter(registry_, "zap_sidecar_gate_failures_total",
                            "Messages of peers that failed decoding or verification")),
      view_changes(
          counter(registry_, "zap_sidecar_view_changes_total", "Views that this node has left")),
      log_records(counter(registry_, "zap_sidecar_log_records_total", "Records written")),
      log_syncs(counter(registry_, "zap_sidecar_log_syncs_total", "Group commits")),
      log_bytes(counter(registry_, "zap_sidecar_log_bytes_total", "Bytes of records written")),
      applied_index(gauge(registry_, "zap_sidecar_applied_index",
                          "Index of the last call that the local application has answered")),
      app_ready(gauge(registry_, "zap_sidecar_app_ready",
                      "1 while every local application answers and has caught up")),
      app_diverged(gauge(registry_, "zap_sidecar_app_diverged",
                         "1 while a local application is in quarantine: it has diverged")),
      app_blocked(gauge(registry_, "zap_sidecar_app_blocked",
                        "How often in a row one call has broken the local application; 0: none "
                        "blocks it")),
      app_nondeterministic(gauge(registry_, "zap_sidecar_app_nondeterministic_methods",
                                 "Methods whose answers differ between copies that nobody can tell "
                                 "right from wrong")),
      answers_differ(counter(registry_, "zap_sidecar_answers_differ_total",
                             "Calls whose clients were told that the answers differ")),
      leaders_(prometheus::BuildGauge()
                   .Name("zap_consensus_leader")
                   .Help("1 for the leader as this node sees it, 0 for the others")
                   .Register(registry_)),
      evidence_(prometheus::BuildCounter()
                    .Name("zap_sidecar_evidence_total")
                    .Help("Proofs kept that a member signed what contradicts itself")
                    .Register(registry_)),
      requests_(prometheus::BuildCounter()
                    .Name("zap_sidecar_requests_total")
                    .Help("Requests answered, by mode and by ok or error code")
                    .Register(registry_)) {
  for (const Member& member : membership.members) {
    leader_by_name_[member.name] = &leaders_.Add({{"node_id", member.name}});
    evidence_by_name_[member.name] = &evidence_.Add({{"node_id", member.name}});
  }
  prometheus::BuildGauge()
      .Name("zap_sidecar_info")
      .Help("Always 1; its labels say what runs")
      .Register(registry_)
      .Add({{"node_id", std::string(node)}, {"version", std::string(version)}})
      .Set(1);
}

void Metrics::set_evidence(std::string_view member, std::size_t proofs) {
  const auto counter = evidence_by_name_.find(member);
  if (counter != evidence_by_name_.end()) raise_to(*counter->second, static_cast<double>(proofs));
}

void Metrics::count_request(config::Mode mode, std::string_view code) {
  Counter*& counted = requests_by_kind_[{mode, std::string(code)}];
  if (!counted) {
    counted = &requests_.Add({{"mode", std::string(name_of(mode))}, {"code", std::string(code)}});
  }
  counted->Increment();
}

void Metrics::set_leader(std::string_view name) {
  for (const auto& [member, gauge] : leader_by_name_) gauge->Set(member == name ? 1 : 0);
}

void Metrics::sample_rate() {
  const double total = operations.Value();
  double& oldest = samples_[samples_taken_ % kRateSeconds];
  const double seconds = static_cast<double>(std::min(samples_taken_, kRateSeconds));
  const double before = samples_taken_ < kRateSeconds ? samples_[0] : oldest;
  operations_per_second.Set(seconds > 0 ? (total - before) / seconds : 0);
  oldest = total;
  ++samples_taken_;
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

}  // namespace zap
