#include "tests/simulation/history.h"

#include <sstream>

#include "tests/support/describe.h"

namespace zap::simulation {

using test::describe;

History::History(const Scenario& scenario, Committers committers, Verdict& verdict, Marks& marks)
    : scenario_(scenario),
      committers_(std::move(committers)),
      verdict_(verdict),
      marks_(marks),
      keys_(scenario.settings.keys),
      executed_(scenario.places().size(), 0) {}

void History::fail(Place place, Seq seq, const std::string& what) {
  verdict_.fail("node " + std::to_string(place) + ", slot " + std::to_string(seq) + ": " + what);
}

void History::submitted(const Operation& operation, const Digest& digest) {
  submitted_[key(operation.id)] = digest;
}

void History::restarted(Place place) { executed_[place] = 0; }

void History::recorded(Place place, const pbft::Decided& record) {
  const Seq seq = record.content.seq;
  if (seq > slots_.size() + 1) {
    return fail(place, seq, "decided although nobody decided the slot before");
  }
  if (seq == slots_.size() + 1) {
    slots_.push_back({.batch = record.digest,
                      .timestamp = record.timestamp,
                      .last_index = record.last_index,
                      .chain = record.chain});
    const Quorum quorum = scenario_.settings.membership.quorum();
    const std::uint32_t holders = committers_(seq, record.digest);
    if (holders + scenario_.traitors.size() < quorum.size()) {
      fail(place, seq,
           "decided as " + describe(record.digest) + " while only " + std::to_string(holders) +
               " correct nodes durably hold it prepared: no quorum of " +
               std::to_string(quorum.size()));
    }
    if (record.digest == pbft::null_digest()) marks_.reach(Mark::kNullRequestDecided);
    return;
  }
  const Slot& known = slots_[seq - 1];
  if (record.digest != known.batch) {
    fail(place, seq,
         "AGREEMENT: decided as " + describe(record.digest) + ", elsewhere as " +
             describe(known.batch));
  } else if (record.timestamp != known.timestamp || record.chain != known.chain ||
             record.last_index != known.last_index) {
    fail(place, seq, "executed with another timestamp, index or chain than elsewhere");
  }
}

void History::executed(Place place, const Decision& decision) {
  if (decision.seq != executed_[place] + 1) {
    return fail(place, decision.seq,
                "executed right after slot " + std::to_string(executed_[place]));
  }
  executed_[place] = decision.seq;
  if (decision.seq > slots_.size()) return fail(place, decision.seq, "executed, not recorded");
  Slot& slot = slots_[decision.seq - 1];
  if (!slot.executed) return first_execution(place, decision);

  bool same = slot.timestamp == decision.timestamp && slot.calls.size() == decision.calls.size();
  for (std::size_t i = 0; same && i < slot.calls.size(); ++i) {
    const DecidedCall& ours = decision.calls[i];
    const DecidedCall& known = slot.calls[i];
    same = ours.call->digest == known.call->digest && ours.outcome == known.outcome &&
           ours.index == known.index && ours.seed == known.seed;
  }
  if (!same) fail(place, decision.seq, "AGREEMENT: other calls or outcomes than elsewhere");
}

void History::first_execution(Place place, const Decision& decision) {
  Slot& slot = slots_[decision.seq - 1];
  slot.executed = true;
  slot.calls = decision.calls;
  if (slot.timestamp != decision.timestamp) {
    fail(place, decision.seq, "the decision has another timestamp than its record");
  }
  if (decision.seq > 1 && decision.timestamp < slots_[decision.seq - 2].timestamp) {
    fail(place, decision.seq, "the agreed timestamp goes back");
  }
  if (decision.timestamp > latest_wall_ + pbft::kClockTolerance) {
    fail(place, decision.seq, "the agreed timestamp is ahead of every correct clock");
  }
  const std::uint64_t keys_forgotten = keys_.forgotten();
  keys_.slot_begins(decision.timestamp);
  for (const DecidedCall& decided : decision.calls) {
    const Operation& operation = decided.call->operation;
    check_key(place, decision.seq, decided);
    switch (decided.outcome) {
      case Outcome::kDuplicate:
        marks_.reach(Mark::kDuplicateDecided);
        continue;
      case Outcome::kVoid:
        marks_.reach(Mark::kVoidDecided);
        continue;
      case Outcome::kExpired:
        marks_.reach(Mark::kExpiredDecided);
        if (decision.timestamp <= operation.deadline) {
          fail(place, decision.seq, "a call expired before its deadline");
        }
        break;
      case Outcome::kApplied:
        if (decision.timestamp > operation.deadline) {
          fail(place, decision.seq, "a call is applied after its deadline");
        }
        if (decided.index != ++last_index_) {
          fail(place, decision.seq,
               "index " + std::to_string(decided.index) + " instead of " +
                   std::to_string(last_index_));
        }
        if (operation.once) keys_.applied(operation, decided.index);
        break;
      case Outcome::kRepeated:
        marks_.reach(Mark::kKeyRepeated);
        break;
      case Outcome::kKeyReused:
        marks_.reach(Mark::kKeyReused);
        break;
      case Outcome::kBarrier:
        marks_.reach(Mark::kBarrierDecided);
        if (operation.kind != OperationKind::kBarrier || decided.index != last_index_) {
          fail(place, decision.seq, "a barrier that does not stand after the last index");
        }
        break;
    }
    if (!decided_ids_.emplace(key(operation.id), decision.seq).second) {
      fail(place, decision.seq, "EXACTLY ONCE: a call is executed a second time");
    }
    if (!scenario_.is_traitor(operation.id.origin)) {
      const auto made = submitted_.find(key(operation.id));
      if (made == submitted_.end() || made->second != decided.call->digest) {
        std::ostringstream what;
        what << "VALIDITY: call " << operation.id.origin << "." << operation.id.incarnation << "."
             << operation.id.number << " is not what its origin submitted";
        fail(place, decision.seq, what.str());
      }
    }
  }
  if (keys_.forgotten() > keys_forgotten) marks_.reach(Mark::kKeyForgotten);
  if (slot.last_index != last_index_) fail(place, decision.seq, "the record's last index is wrong");
}

/// A key has one effect as long as it is remembered, and every later call is told which.
void History::check_key(Place place, Seq seq, const DecidedCall& decided) {
  const Outcome outcome = decided.outcome;
  const bool by_key = outcome == Outcome::kRepeated || outcome == Outcome::kKeyReused;
  if (!by_key && outcome != Outcome::kApplied) return;
  const auto& once = decided.call->operation.once;
  const std::optional<DecidedCall> expected = once ? keys_.find(*once) : std::nullopt;
  const bool as_expected = expected
                               ? outcome == expected->outcome && decided.index == expected->index
                               : outcome == Outcome::kApplied;
  if (!as_expected) fail(place, seq, "ONE EFFECT: a key means something else than was agreed");
}

}  // namespace zap::simulation
