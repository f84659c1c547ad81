// tests/simulation/gate.h - what stands before step(): every signature inside a message is found by
// the product's own walk (consensus/pbft/statement.h) and checked, once for all receivers.

#pragma once

#include <set>
#include <string>
#include <utility>

#include "consensus/pbft/settings.h"
#include "consensus/pbft/statement.h"
#include "tests/simulation/envelope.h"
#include "tests/simulation/sabotage.h"
#include "tests/support/fake_keys.h"

namespace zap::simulation {

class Gate {
 public:
  /// `sabotage` may lift the rules that calls and certificates need their signatures, and that a
  /// signature counts for nothing but what was signed.
  Gate(const pbft::Settings& settings, const test::FakeKeys& keys, const Sabotage& sabotage = {});

  bool passes(const Envelope& envelope, NodeId receiver) const;
  /// Why the last message that did not pass was refused.
  const std::string& refusal() const { return refusal_; }

  /// Fills in what `signer` owes to its own message.
  void sign(const test::Signer& signer, Message& message) const;
  bool verify(NodeId signer, const Digest& statement, const Signature& signature) const {
    return keys_.verify(signer, statement, signature);
  }
  /// Does it hold up that `signer` said this?
  bool is_signed(NodeId signer, const Message& message) const;
  const ClusterId& cluster() const { return cluster_; }
  NodeId leader_of(View view) const { return leadership_.leader_of(view); }

 private:
  bool verify(const Envelope& envelope, NodeId receiver) const;
  bool is_taken_on_faith(const Message& message) const;
  bool counts(const pbft::ToVerify& check) const;

  const ClusterId cluster_;
  const Membership membership_;
  const pbft::Leadership leadership_;
  const test::FakeKeys keys_;
  const bool payloads_unverified_;
  const bool certificates_unverified_;
  const bool signatures_unbound_;
  /// Kept only while signatures are unbound: who made which.
  mutable std::set<std::pair<NodeId, decltype(Signature::bytes)>> made_;
  mutable std::string refusal_;
};

}  // namespace zap::simulation
