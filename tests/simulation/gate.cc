#include "tests/simulation/gate.h"

namespace zap::simulation {

Gate::Gate(const pbft::Settings& settings, const test::FakeKeys& keys, const Sabotage& sabotage)
    : cluster_(settings.cluster),
      membership_(settings.membership),
      leadership_{&membership_, settings.fixed_leader},
      keys_(keys),
      payloads_unverified_(sabotage.payloads_unverified),
      certificates_unverified_(sabotage.certificates_unverified),
      signatures_unbound_(sabotage.signatures_unbound) {}

bool Gate::passes(const Envelope& envelope, NodeId receiver) const {
  if (!envelope.genuine) envelope.genuine = verify(envelope, receiver);
  return *envelope.genuine;
}

bool Gate::verify(const Envelope& envelope, NodeId receiver) const {
  const auto found =
      pbft::signatures_to_verify(cluster_, leadership_, envelope.from, receiver, *envelope.message);
  if (!found) {
    refusal_ = found.error().message;
    return false;
  }
  if (is_taken_on_faith(*envelope.message)) return true;
  for (const pbft::ToVerify& check : *found) {
    if (!counts(check)) {
      refusal_ = "a signature of node " + std::to_string(check.signer) + " does not fit";
      return false;
    }
  }
  return true;
}

bool Gate::is_taken_on_faith(const Message& message) const {
  if (std::holds_alternative<pbft::Bundle>(message)) return payloads_unverified_;
  return certificates_unverified_ && (std::holds_alternative<pbft::ViewChange>(message) ||
                                      std::holds_alternative<pbft::NewView>(message));
}

bool Gate::counts(const pbft::ToVerify& check) const {
  return keys_.verify(check.signer, check.statement, check.signature) ||
         made_.contains({check.signer, check.signature.bytes});
}

bool Gate::is_signed(NodeId signer, const Message& message) const {
  const auto holds = [&](const Digest& statement, const Signature& signature) {
    return verify(signer, statement, signature);
  };
  if (const auto* bundle = std::get_if<pbft::Bundle>(&message)) {
    return holds(pbft::bundle_statement(cluster_, *bundle->proof), bundle->proof->signature);
  }
  if (const auto* m = std::get_if<pbft::PrePrepare>(&message)) {
    return holds(
        pbft::pre_prepare_statement(cluster_, m->epoch, m->view, m->seq, m->digest, signer),
        m->signature);
  }
  if (const auto* m = std::get_if<pbft::Prepare>(&message)) {
    return holds(pbft::prepare_statement(cluster_, m->epoch, m->view, m->seq, m->digest, signer),
                 m->signature);
  }
  if (const auto* m = std::get_if<pbft::Checkpoint>(&message)) {
    return holds(pbft::checkpoint_statement(cluster_, m->epoch, m->seq, m->digest, signer),
                 m->signature);
  }
  if (const auto* m = std::get_if<pbft::ViewChange>(&message)) {
    return m->sender == signer && holds(pbft::view_change_statement(cluster_, *m), m->signature);
  }
  const auto* m = std::get_if<pbft::NewView>(&message);
  return m && holds(pbft::new_view_statement(cluster_, *m), m->signature);
}

void Gate::sign(const test::Signer& signer, Message& message) const {
  for (const pbft::ToSign& owed : pbft::signatures_to_make(cluster_, signer.self(), message)) {
    *owed.signature = signer.sign(owed.statement);
    if (signatures_unbound_) made_.insert({signer.self(), owed.signature->bytes});
  }
}

}  // namespace zap::simulation
