// What must hold in every state of a replica, and the whole state in words.

#include <sstream>

#include "consensus/pbft/replica.h"
#include "core/check.h"

namespace zap::pbft {

void Replica::check_invariants() const {
  const Seq executed = ledger_.last_seq();
  ZAP_CHECK(next_accept_ > stable_.seq, "accepts " << next_accept_ << " below the window");
  ZAP_CHECK(next_accept_ <= stable_.seq + kWindow + 1, "accepted beyond the window");
  ZAP_CHECK(next_propose_ <= stable_.seq + kWindow + 1, "proposed beyond the window");
  ZAP_CHECK(slots_.size() <= 3 * kWindow, slots_.size() << " slots are kept");
  ZAP_CHECK(wants_.size() <= slots_.size(), "wants something for slots that are not kept");
  ZAP_CHECK(pool_.most_superseded_bytes() <= settings_.pool_bytes,
            pool_.most_superseded_bytes() << " bytes of one origin's ended runs are kept");
  for (const auto& [seq, slot] : slots_) {
    ZAP_CHECK(seq > stable_.seq || seq > executed, "slot " << seq << " was not collected");
    ZAP_CHECK(slot.executed == (slot.decided && seq <= executed) || !slot.decided,
              "slot " << seq << " is executed out of order");
    if (slot.accepted) {
      ZAP_CHECK(slot.accepted->view <= view_, "slot " << seq << " accepted in a view to come");
      ZAP_CHECK(slot.content(slot.accepted->digest), "slot " << seq << " accepted without calls");
    }
    if (slot.prepared) {
      ZAP_CHECK(slot.prepared->votes.size() >= quorum(), "slot " << seq << " prepared by too few");
      ZAP_CHECK(slot.prepared->view <= view_, "slot " << seq << " prepared in a view to come");
    }
  }
  for (const auto& [seq, digest] : own_checkpoints_) {
    ZAP_CHECK(seq > stable_.seq && seq <= executed, "own checkpoint " << seq);
  }
}

std::string Replica::dump() const {
  std::ostringstream text;
  const Membership& membership = settings_.membership;
  text << "replica " << membership.name_of(settings_.self) << " view " << view_
       << (active_ ? "" : " (inactive)") << " leader " << membership.name_of(leader())
       << " executed " << ledger_.last_seq() << " index " << ledger_.last_index() << " stable "
       << stable_.seq << " next accept " << next_accept_ << " propose " << next_propose_
       << (cleared_ ? "" : " not cleared") << (amnesia_ ? " amnesia" : "")
       << (is_behind() ? " behind" : "") << "\n";
  text << "  pool: " << pool_.waiting() << " waiting, " << pool_.unproposed() << " unproposed; "
       << "failed views " << failed_views_ << "; chain " << ledger_.chain().hex(4) << "\n";
  for (const auto& [sender, message] : view_changes_) {
    text << "  VIEW-CHANGE(" << message.view << ") of " << membership.name_of(sender) << ", stable "
         << message.stable.seq << ", " << message.prepared.size() << " prepared\n";
  }
  for (const auto& [seq, slot] : slots_) {
    text << "  slot " << seq;
    if (slot.proposal) {
      text << " proposed v" << slot.proposal->view << " " << slot.proposal->digest.hex(3);
    }
    if (slot.accepted) {
      text << " accepted v" << slot.accepted->view << " " << slot.accepted->digest.hex(3);
    }
    if (slot.prepared) {
      text << " prepared v" << slot.prepared->view << " " << slot.prepared->digest.hex(3);
    }
    text << " votes";
    for (const auto& [signer, vote] : slot.prepares) text << " " << signer << "@v" << vote.view;
    text << " commits";
    for (const auto& [signer, vote] : slot.commits) text << " " << signer << "@v" << vote.view;
    if (slot.decided) text << (slot.executed ? " executed " : " decided ") << slot.decided->hex(3);
    if (wants_.contains(seq)) text << " (content wanted)";
    text << "\n";
  }
  return text.str();
}

}  // namespace zap::pbft
