// proxy/answers/kept_answers.h - what one application answered to calls with an idempotency key:
// the answer that a later call with the same key gets.
//
// Which keys are known is agreed; which answers are still here is not: each node keeps them as long
// as it has room, and what it lacks the others may have. They lie in a file beside the log too,
// since an application may outlive its sidecar.
//
// Threads: lives on the main loop.

#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>

#include "core/limits.h"
#include "proxy/answers/answer_file.h"

namespace zap {

class KeptAnswers {
 public:
  explicit KeptAnswers(std::size_t answers, std::size_t bytes = limits::kKeptAnswerBytes)
      : answers_max_(answers), bytes_max_(bytes) {}

  /// Takes what an earlier run kept, and keeps it there from now on.
  Result<void> open(const std::filesystem::path& file);

  /// The first answer to a call stays the answer. The oldest make room.
  void keep(Index index, const Digest& key, const Reply& reply);
  /// Null where it was never here, or is forgotten.
  const Reply* find(Index index, const Digest& key) const;
  /// From this call on they were wrong.
  void forget_from(Index index);

 private:
  bool take(Index index, KeptAnswer answer);
  void erase(std::map<Index, KeptAnswer>::iterator answer);
  void failed(const Error& error);

  const std::size_t answers_max_;
  const std::size_t bytes_max_;
  std::map<Index, KeptAnswer> answers_;
  std::size_t bytes_ = 0;             ///< of payloads in answers_
  std::unique_ptr<AnswerFile> file_;  ///< none: it failed, or was not opened
};

}  // namespace zap
