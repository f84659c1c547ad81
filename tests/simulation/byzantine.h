// tests/simulation/byzantine.h - a liar's mouth: a real replica runs behind it, and what it wants
// to say is bent on its way out, for each receiver by itself.
//
// It signs with its own key whatever it likes and cannot sign for anyone else. Traitors conspire:
// what one of them splits, the others vote for on both sides.

#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "tests/simulation/gate.h"
#include "tests/simulation/random.h"
#include "tests/simulation/scenario.h"

namespace zap::simulation {

/// The slots for which the traitors tell two stories.
class Conspiracy {
 public:
  struct Split {
    pbft::Batch other;  ///< the story for `deceived`; elsewhere the replica's own
    Digest own_digest;
    Digest other_digest;
    std::uint32_t deceived;  ///< bit i: node i
  };

  const Split* find(View view, Seq seq) const;
  const Split& split(View view, Seq seq, Split split);

 private:
  std::map<std::pair<View, Seq>, Split> splits_;
};

class Byzantine {
 public:
  struct Utterance {
    MessagePtr message;
    Duration delay{};
  };

  Byzantine(const Scenario& scenario, const Treachery& treachery, const Gate& gate,
            test::Signer signer, Conspiracy& conspiracy, Random random);

  /// Does it listen to this at all?
  bool hears(const MessagePtr& message);
  /// What `to` gets instead of `message`, while `leader` leads.
  std::vector<Utterance> says(NodeId to, const MessagePtr& message, NodeId leader);

 private:
  // Each bends one kind of message for one receiver; what does not concern it stays as it is.
  void bend(NodeId to, Message& message);
  void bend(NodeId to, pbft::PrePrepare& proposal);
  void bend(NodeId to, pbft::Bundle& bundle);
  void bend(pbft::ViewChange& change);
  void bend(pbft::NewView& view);
  void bend(pbft::DecidedDigests& decided);
  void bend(pbft::Batches& batches);
  void bend(pbft::Status& status);
  void bend(pbft::Shown& shown);
  template <typename VoteMessage>
  void take_sides(NodeId to, VoteMessage& vote) const;

  // Things said beside the message that was due.
  void add_other_story(NodeId to, const Message& message, std::vector<Utterance>& said);
  void add_invented_calls(NodeId to, const Message& message, std::vector<Utterance>& said);
  void add_replay(std::vector<Utterance>& said);
  void add_foreign_epoch(const Message& message, std::vector<Utterance>& said);
  void add_far_view_change(const Message& message, std::vector<Utterance>& said);
  void add_flood(const Message& message, std::vector<Utterance>& said);

  bool is_withheld(NodeId to, const Message& message, NodeId leader) const;
  void sign_again(Message& message) const;
  MessagePtr signed_by_us(Message message) const;
  void keep(const MessagePtr& message);
  void note_incarnation(const pbft::Bundle& bundle);

  const Scenario& scenario_;
  const Treachery treachery_;
  const Gate& gate_;
  const test::Signer signer_;
  Conspiracy& conspiracy_;
  Random random_;
  std::deque<MessagePtr> old_;  ///< heard and said before
  struct Heard {
    Incarnation incarnation = 0;
    Digest call;                  ///< its last
    std::optional<Digest> stale;  ///< the last of the incarnation before
  };
  std::map<NodeId, Heard> calls_heard_;  ///< by origin
};

}  // namespace zap::simulation
