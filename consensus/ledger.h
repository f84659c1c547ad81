// consensus/ledger.h - execution: what the order means, the same on every node.
//
// The ledger takes decided slots one after the other and says what each call becomes: applied at
// an index, repeated by its idempotency key, duplicate, expired or void; a barrier takes no index.
// It keeps what that depends on (client table, keys, agreed timestamp, last index) and the hash
// chain over all of it. No protocol, no application.

#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "consensus/key_table.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/operation.h"

namespace zap {

/// Which of one origin's calls were decided: its newest incarnation, the lowest number not yet
/// decided, and the decided ones among the 4,096 numbers from there on.
class ClientRecord {
 public:
  static constexpr std::uint64_t kWindow = 4096;

  bool is_decided(Incarnation incarnation, std::uint64_t number) const;
  /// Could still be executed: not decided, not of an older incarnation, not above the window.
  bool admits(Incarnation incarnation, std::uint64_t number) const;
  void decide(Incarnation incarnation, std::uint64_t number);

  Incarnation incarnation() const { return incarnation_; }
  std::uint64_t low_mark() const { return low_mark_; }
  void add_to(Hasher& hasher) const;

 private:
  Incarnation incarnation_ = 0;
  std::uint64_t low_mark_ = 1;    ///< lowest number not decided
  std::bitset<kWindow> decided_;  ///< of number n at n % kWindow, for low_mark_ <= n
};

class Ledger {
 public:
  /// What the simulator may break (planted bugs); the product leaves it alone.
  struct Rules {
    bool deduplicate = true;
    bool timestamps_never_go_back = true;
    bool deadlines_count = true;
    std::optional<WallTime> keys_age_by;  ///< instead of agreed time
  };

  explicit Ledger(ClusterId cluster) : cluster_(std::move(cluster)) {}
  void set_rules(Rules rules) { rules_ = rules; }
  /// Agreed before the first slot.
  void set_key_limits(const KeyLimits& limits) { keys_.set_limits(limits); }

  /// Executes slot `seq`, which must be the one after the last. `proposed` is the batch's
  /// timestamp; the agreed one is never below that of the slot before.
  Decision execute(Seq seq, View view, WallTime proposed, const std::vector<CallPtr>& calls);

  Seq last_seq() const { return last_seq_; }
  Index last_index() const { return last_index_; }
  WallTime last_timestamp() const { return last_timestamp_; }
  const Digest& chain() const { return chain_; }

  bool is_decided(const OperationId& id) const;
  bool admits(const OperationId& id) const;
  std::uint64_t low_mark(NodeId origin, Incarnation incarnation) const;

  /// Covers everything that was agreed so far, but for the membership.
  Digest digest() const;
  KeyTable& keys() { return keys_; }
  const KeyTable& keys() const { return keys_; }

 private:
  DecidedCall execute(const CallPtr& call, WallTime agreed);
  std::uint64_t seed_of(const Call& call, Index index) const;
  ClusterId cluster_;
  Rules rules_;
  Seq last_seq_ = 0;
  Index last_index_ = 0;
  WallTime last_timestamp_ = 0;
  Digest chain_;
  std::map<NodeId, ClientRecord> clients_;
  KeyTable keys_;
};

/// What a checkpoint says: the agreed state, whose it is, and when.
Digest checkpoint_digest(const Digest& ledger, Epoch epoch, const Digest& membership);

}  // namespace zap
