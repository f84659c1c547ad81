// proxy/answers/exchange.h - what the nodes tell each other about their applications' answers.
//
// In the ordinary case one message leaves: the digests of answers, to the calls' origins. The rest
// is said where something is wrong: an origin fetches an answer that its own application lacks, and
// tells a node whose answer is not that of q others, which then asks all of them; a node says that
// its application is quarantined.
//
// Threads: lives on the main loop.

#pragma once

#include <functional>
#include <map>
#include <vector>

#include "consensus/wire/peer_messages.h"
#include "core/membership.h"
#include "proxy/answers/answer_fetches.h"
#include "proxy/answers/app_census.h"
#include "proxy/answers/inquiries.h"
#include "proxy/answers/recent_answers.h"
#include "proxy/answers/reply_outbox.h"
#include "proxy/app/applier.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/per_second.h"

namespace zap {

class AnswerExchange {
 public:
  struct Handlers {
    std::function<void(NodeId peer, const wire::AnswerMessage& message)> send;
    /// What an application's answer to the call comes to.
    std::function<Result<Reply>(const Call& call, const Bytes& answer)> read;
    /// A node's answer to a call of ours.
    std::function<void(NodeId from, const OperationId& call, const std::optional<Digest>& compared)>
        reply;
    /// Ends fetch(); null: nobody has the answer any more.
    std::function<void(const OperationId& call, const Reply* reply)> fetched;
    /// A node's answers to the reads of a barrier of ours.
    std::function<void(NodeId from, const wire::ReadAnswers& answers)> read_answers;
    /// The local application has diverged.
    std::function<void(const Divergence& divergence)> diverged;
  };

  struct Settings {
    NodeId self = 0;
    bool compares = true;  ///< false with `replies: local`: nobody hears of answers
  };
  AnswerExchange(EventLoop& loop, Settings settings, const Membership& membership,
                 Handlers handlers);

  // what happens here

  /// The local application's answer to a call, which `newest` is decided behind.
  void answered(const AppAnswer& answer, Index newest);
  void fetch(const CallPtr& call, const Digest& agreed, std::vector<NodeId> donors);
  void forget_fetch(const OperationId& call) { fetches_.forget(call); }
  /// As an origin sees it: somebody's answer is not what q others gave.
  void diverged(const Divergence& divergence);
  /// How the local applications do; told to the others where it is new.
  void own_state(const wire::AppState& state);
  /// To be called now and then.
  void tick(Instant now);

  // what the others say

  void received(NodeId from, const wire::AnswerMessage& message);
  void connected(NodeId peer) { handlers_.send(peer, own_state_); }
  void disconnected(NodeId peer) { census_.lost(peer); }

  const AppCensus& census() const { return census_; }

 private:
  void on(NodeId from, const wire::Replies& replies);
  void on(NodeId from, const wire::FetchAnswers& wanted);
  void on(NodeId from, const wire::Answers& answers);
  void on(NodeId from, const wire::Disputes& disputes);
  void on(NodeId from, const wire::AppState& state);
  void on(NodeId from, const wire::ReadAnswers& answers) { handlers_.read_answers(from, answers); }
  void send_to_all(const wire::AnswerMessage& message);

  const Settings settings_;
  const Membership& membership_;
  const Handlers handlers_;
  ReplyOutbox outbox_;
  RecentAnswers recent_;
  AnswerFetches fetches_;
  Inquiries inquiries_;
  AppCensus census_;
  wire::AppState own_state_;
  std::map<NodeId, PerSecond> disputes_told_;
};

}  // namespace zap
