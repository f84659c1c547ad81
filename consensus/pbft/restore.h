// consensus/pbft/restore.h - from the records of a log to the state that a replica starts with.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "consensus/ledger.h"
#include "consensus/pbft/messages.h"
#include "consensus/pbft/settings.h"
#include "consensus/pbft/slot.h"
#include "core/result.h"

namespace zap::pbft {

/// Where this node's last known vote was, from the mark beside the log. Given only when the log
/// may lack what the node said (amnesia): it is shorter than the mark, or was not synced.
struct LostVote {
  View view = 0;
  Seq seq = 0;
};

struct Restored {
  explicit Restored(ClusterId cluster) : ledger(std::move(cluster)) {}

  Incarnation incarnation = 1;      ///< this run's, durable already
  std::optional<Founding> founded;  ///< none: the log is new
  Ledger ledger;                    ///< after the last decided slot
  View view = 0;
  bool active = true;  ///< false: VIEW-CHANGE(view) was written, no NEW-VIEW followed
  StableCheckpoint stable;
  std::map<Seq, AcceptedMark> accepted;  ///< above stable; the newest of each slot
  std::map<Seq, Certificate> prepared;   ///< above stable; the newest of each slot
  std::map<Seq, Digest> decided;         ///< above stable
  /// Every batch that the log holds of the slots above stable (or not executed), by digest.
  std::map<Seq, std::map<Digest, BatchContent>> contents;
  std::map<Seq, Digest> checkpoints;      ///< the ledger's digest at each one above stable
  std::optional<ViewChange> view_change;  ///< our own, while not active
  std::optional<NewView> new_view;        ///< of `view`, while active and view > 0
  std::optional<LostVote> lost_vote;

  /// What the log holds of others' newest signed messages, past collection too: should one of them
  /// lose its log, they tell it so. Of the newest views.
  struct Signed {
    std::optional<PrePrepare> proposal;
    std::map<NodeId, Prepare> prepares;  ///< as certificates hold them, so the leader's vote too
  };
  std::map<View, Signed> signed_in;
  std::map<NodeId, ViewChange> view_changes;  ///< by sender
};

/// Reads a log's records in order. Decided slots are executed on the ledger as they pass, and
/// handed to whoever replays them to an application.
class Restorer {
 public:
  Restorer(const ClusterId& cluster, Policy policy = {});

  /// The decision, where this record decided a slot. An error means that the log contradicts
  /// itself, whatever its checksums say.
  Result<std::optional<Decision>> add(Record record);

  /// What the records amount to.
  Restored finish(Incarnation incarnation, std::optional<LostVote> lost_vote) &&;

 private:
  using Executed = Result<std::optional<Decision>>;
  Executed on(Accepted record);
  Executed on(Certificate record);
  Executed on(Decided record);
  Executed on(ViewChange record);
  Executed on(NewView record);
  Executed on(StableCheckpoint record);
  Executed on(Founding record);
  std::optional<Error> complete(const Digest& digest, BatchContent content);
  void collect();
  Restored::Signed& signed_in(View view);

  Policy policy_;
  Restored restored_;
};

}  // namespace zap::pbft
