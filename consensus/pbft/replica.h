// consensus/pbft/replica.h - Practical Byzantine Fault Tolerance, one replica.
//
// The state of one replica and every transition on it. The transitions are told by phase, a file
// each: step.cc (the door), normal.cc, execution.cc (decisions, checkpoints, the window),
// view_change.cc, new_view.cc, catch_up.cc, returning.cc (after a restart). README.md has the state
// diagram and a table of paper sections, functions and tests.
//
// Threads: see Engine.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "consensus/engine.h"
#include "consensus/ledger.h"
#include "consensus/pbft/pace.h"
#include "consensus/pbft/pool.h"
#include "consensus/pbft/restore.h"
#include "consensus/pbft/settings.h"
#include "consensus/pbft/slot.h"
#include "consensus/pbft/statement.h"

namespace zap::pbft {

/// A replica that starts from what its log told (Restored{cluster} for an empty one). `policy` is
/// Policy{} everywhere but in the simulator.
std::unique_ptr<Engine> make_replica(Settings settings, Restored restored, Policy policy = {});

/// O of a NEW-VIEW and what it rests on, as everyone computes it from the same V (OSDI'99, 4.4).
struct NewViewPlan {
  StableCheckpoint stable;  ///< the highest in V: min-s
  struct Entry {
    Seq seq;
    Digest digest;
    std::vector<NodeId>
        signers;  ///< who prepared it, so holds its content; none for a null request
  };
  std::vector<Entry> entries;  ///< min-s + 1 to max-s, without gaps
};
NewViewPlan plan_new_view(const std::vector<ViewChange>& view_changes, const Policy& policy = {});

class Replica final : public Engine {
 public:
  Replica(Settings settings, Restored restored, Policy policy);

  Outputs step(const Now& now, const Input& input) override;
  EngineState state() const override;
  std::size_t room() const override;
  bool is_superfluous(const Message& message) const override;
  bool is_decided(const OperationId& id) const override { return ledger_.is_decided(id); }
  void check_invariants() const override;
  std::string dump() const override;

 private:
  // ---- step.cc: the door
  void on(const Tick&);
  void on(const Submit&);
  void on(const Receive&);
  void on(const Connected&);
  void on(const Backlog&);
  void settle();
  void measure_pace(const Now& now);
  void run_timers();
  Instant next_wake() const;
  bool is_leader() const { return leader() == settings_.self; }
  NodeId leader() const { return leader_of(view_); }
  NodeId leader_of(View view) const;
  std::uint32_t quorum() const;
  const std::vector<NodeId>& everyone() const { return everyone_; }
  const std::vector<NodeId>& others() const { return others_; }
  void send(NodeId to, Message message) { out_.at_once.push_back({{to}, std::move(message)}); }
  void notice(Notice::Kind kind, std::string text = {}, Seq seq = 0, NodeId node = 0);

  // ---- normal.cc: OSDI'99, 4.2
  void handle(NodeId from, const Bundle& bundle);
  void handle(NodeId from, const PrePrepare& message);
  void handle(NodeId from, const Prepare& message);
  void handle(NodeId from, const Commit& message);
  void propose();
  bool should_propose() const;
  Seq in_flight() const;
  void propose_batch(std::vector<CallPtr> calls);
  void accept_ready();
  bool accept(Seq seq, Slot& slot);
  void judge_clock(WallTime proposed);
  const BatchContent* assemble(Seq seq, Slot& slot, Proposal& proposal);
  bool is_acceptable(const BatchContent& content) const;
  void keep_content(Slot& slot, BatchContent content);
  /// The batch with all its calls, where every one of them is held here.
  std::optional<BatchContent> gather(Seq seq, const Batch& batch) const;
  /// Sends a vote to everyone, ourselves included, once all written so far is durable.
  void vote(Message message);
  void record_accepted(Seq seq, Slot& slot, const Digest& digest, const Signature& leaders);
  void note_prepare(Seq seq, NodeId signer, SignedVote vote);
  void check_prepared(Seq seq, Slot& slot);
  void check_committed(Slot& slot);
  /// The slot, if we keep anything about it: above what is stable or executed, below what a
  /// replica ahead of us may speak of.
  Slot* slot_for(Seq seq);
  bool in_window(Seq seq) const {
    return seq > stable_.seq && seq <= stable_.seq + kWindow * (1 + policy_.window_twice_as_wide);
  }

  // ---- execution.cc: decisions in order, checkpoints (OSDI'99, 4.3)
  void execute_ready();
  void take_checkpoint();
  void handle(NodeId from, const Checkpoint& message);
  void handle(NodeId from, const StableCheckpoint& message);
  void make_stable(const StableCheckpoint& proof);

  // ---- suspicion.cc: whether to leave a view
  struct Peer;
  View wanted_view() const;
  View wanted_by(NodeId peer) const;
  bool is_fresh(const Peer& peer) const;
  bool is_time_up() const;
  bool suspects() const { return suspects_until_ && now_.instant < *suspects_until_; }
  void consider_leaving();
  bool others_want_out();
  bool is_heeded(Peer& peer) const;
  void forget_suspicions();

  // ---- view_change.cc, new_view.cc: OSDI'99, 4.4
  void start_view_change(View view);
  void handle(NodeId from, const ViewChange& message);
  void join_view_change();
  std::vector<const ViewChange*> view_changes_for_current() const;
  void try_new_view();
  void handle(NodeId from, const NewView& message);
  void enter_new_view(const NewView& message, const NewViewPlan& plan);
  void progress_in_view();
  Duration patience() const;  ///< round_timeout, doubled for each view that failed

  // ---- catch_up.cc: status exchange, fetching
  void send_status(std::vector<NodeId> to);
  void handle(NodeId from, const Status& message);
  void help(NodeId peer, const Status& status);
  void help_with_view(NodeId peer, const Status& status);
  void help_with_decided(NodeId peer, const Status& status);
  void repeat_votes(NodeId peer, const Status& status);
  void handle(NodeId from, const DecidedDigests& message);
  void handle(NodeId from, const FetchBatches& message);
  void handle(NodeId from, const Batches& message);
  void handle(NodeId from, const FetchCalls& message);
  struct Want;
  bool may_be_unprovable() const;
  void want(Seq seq, Want wanted);
  void want_decided(Seq seq, const Slot& slot);
  void fetch_missing();
  void forward_overdue();
  void send_own_calls(const std::vector<NodeId>& to);
  bool is_behind() const;
  Seq highest_checkpoint() const;
  Seq highest_prepared() const;

  // ---- accuse.cc: evidence of lies
  void accuse(NodeId node, std::string what, Seq seq, std::vector<Message> evidence);
  void accuse_origin(const OperationId& id);
  void accuse_voter(Seq seq, NodeId signer, const SignedVote& one, const SignedVote& other);
  Message said(Seq seq, NodeId signer, const SignedVote& vote) const;

  // ---- returning.cc: the first vote after a start, amnesia
  bool may_change_view() const { return cleared_ && !amnesia_; }
  bool may_vote() const { return may_change_view() && view_ >= min_vote_view_; }
  void handle(NodeId from, const Shown& message);
  void answer_returning(NodeId peer, Incarnation incarnation);
  void check_cleared();
  bool log_holds(const PrePrepare& shown) const { return log_holds(shown.view, shown.seq); }
  bool log_holds(const Prepare& shown) const { return log_holds(shown.view, shown.seq); }
  bool log_holds(const Checkpoint& shown) const { return shown.seq <= restored_last_; }
  bool log_holds(const ViewChange& shown) const { return shown.view <= restored_view_; }
  bool log_holds(View view, Seq seq) const;
  void suffer_amnesia(View view, const std::string& because);
  void check_recovered();
  void rejoin();
  void repeat_own_votes(Seq seq, Slot& slot, const std::vector<NodeId>& to);
  void remember_signed(NodeId signer, const Message& message);
  void remember_logged_votes(const Restored& restored);

  const Settings settings_;
  const Policy policy_;
  std::vector<NodeId> everyone_;  ///< all members, in membership order
  std::vector<NodeId> others_;
  Outputs out_;  ///< of the step that runs
  Now now_;      ///< of the step that runs

  // ---- agreement
  Epoch epoch_ = 0;
  View view_ = 0;
  bool active_ = true;
  std::map<Seq, Slot> slots_;
  Pool pool_;
  Seq next_accept_ = 1;      ///< pre-prepares are accepted in slot order: this one is next
  Seq next_propose_ = 1;     ///< of the leader
  Seq granted_horizon_ = 0;  ///< slots up to here are filled with null requests (amnesia)
  std::optional<Instant> batch_since_;  ///< since when calls wait for a batch to fill
  std::size_t last_batch_ = 0;          ///< calls in the batch that was proposed last

  // ---- execution
  Ledger ledger_;
  StableCheckpoint stable_;
  std::map<Seq, Digest> own_checkpoints_;                    ///< above stable
  std::map<NodeId, std::map<Seq, Checkpoint>> checkpoints_;  ///< per signer the newest few

  // ---- view changes
  std::map<NodeId, ViewChange> view_changes_;     ///< per sender that of its highest view
  std::optional<NewView> new_view_;               ///< of view_, to show to those who missed it
  std::optional<ViewChange> unsaid_view_change_;  ///< of the log: to be signed and said again
  std::optional<Instant> election_deadline_;      ///< set once q VIEW-CHANGEs for view_ are here
  std::uint32_t failed_views_ = 0;                ///< since the last progress
  bool progressed_ = true;                        ///< something was decided in view_
  std::optional<Instant> slow_clock_since_;       ///< the leader's timestamps lag behind our clock
  bool clock_stands_still_ = false;               ///< for too long: the view is to be changed
  std::optional<Instant> suspects_until_;         ///< our time was up not long before
  Pace pace_;                                     ///< of view_
  bool gives_up_view_ = false;                    ///< our proposal in it cannot be proved
  bool wants_out_ = false;                        ///< of view_, as our status says

  // ---- keeping up
  /// Something that a slot lacks, asked for again and again, each time of another peer.
  struct Want {
    enum class What { kCalls, kBatch } what = What::kBatch;
    Digest digest;                ///< of the batch
    std::vector<NodeId> holders;  ///< who should have it
    Instant next_try;
    std::uint32_t tries = 0;
    std::optional<NodeId> asked;  ///< last
  };
  std::map<Seq, Want> wants_;
  struct Peer {
    Status status;  ///< its newest
    Instant said_at;
    std::optional<Instant> left_out_since;  ///< it votes only in views above ours
    std::optional<Instant> heeded_at;       ///< a view was left for its sake
  };
  std::map<NodeId, Peer> peers_;
  struct Helped {
    Instant at;        ///< when votes and views were last repeated to it
    Seq decided = 0;   ///< what it had then
    Instant grant_at;  ///< not before this it gets another horizon
  };
  std::map<NodeId, Helped> helped_;
  Instant status_at_;     ///< when the next status leaves
  Instant timers_since_;  ///< no call's timer counts time before this
  Instant last_step_;
  Backlog backlog_;
  Instant next_forward_;  ///< when overdue calls are looked for again

  // ---- returning
  const Incarnation incarnation_;
  std::uint64_t next_number_ = 1;  ///< of our own next call
  bool cleared_ = false;           ///< q - 1 others have spoken since this start
  std::map<NodeId, Seq> heard_;    ///< who has spoken, and its highest checkpoint
  struct Amnesia {
    View min_view = 0;  ///< no vote below the views in which we may have voted
    Seq horizon = 0;  ///< no vote until this checkpoint is stable; 0: not known before q - 1 spoke
  };
  std::optional<Amnesia> amnesia_;
  View min_vote_view_ = 0;                 ///< after amnesia: no vote below this view, ever
  bool awaits_view_ = false;               ///< recovered from it, and in a view below that one
  const View restored_view_;               ///< what the log said at the start: the highest view,
  const Seq restored_stable_;              ///< the stable checkpoint,
  std::map<Seq, View> restored_accepted_;  ///< the view of what was accepted above it,
  Seq restored_proposed_ = 0;              ///< the last slot that we had proposed something in,
  const Seq restored_last_;  ///< the last slot executed, so the last that a checkpoint may cover
  std::map<NodeId, Shown> newest_signed_;  ///< per member, kept past garbage collection
};

}  // namespace zap::pbft
