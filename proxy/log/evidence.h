// proxy/log/evidence.h - proofs that a member lies, kept for good.
//
// Two signed things of one member that contradict each other convince anyone, at any time. Each
// pair is one line of the file `evidence.jsonl` beside the log, durable when keep() returns
// (docs/formats/evidence.md). A liar makes as many as it likes: one of a kind counts for each slot,
// and limits::kEvidencePerMember for each member.
//
// Threads: lives on the main loop. keep() waits for the disk, which a member can cause so many
// times.

#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "consensus/engine.h"
#include "core/membership.h"
#include "core/result.h"
#include "core/time.h"

namespace zap {

class Evidence {
 public:
  /// Reads what was kept in `folder` before; a line that a crash has cut short is left alone.
  Evidence(const std::filesystem::path& folder, Membership membership);

  /// Of Notice::Kind::kEquivocation. False: the like is kept already, or enough of this member.
  Result<bool> keep(const Notice& notice, WallTime now);

  std::size_t count(const std::string& member) const;
  /// A sentence for each member that there is evidence against.
  std::vector<std::string> sentences() const;
  /// All of it, as a JSON array.
  std::string json() const;

 private:
  const std::filesystem::path file_;
  const Membership membership_;
  std::map<std::string, std::set<std::string>> known_;  ///< by member: what, where
};

}  // namespace zap
