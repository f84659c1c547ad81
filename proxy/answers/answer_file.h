// proxy/answers/answer_file.h - kept answers on disk, so that they outlive the sidecar: a file that
// is appended to, and now and then written anew with what is still kept
// (docs/formats/kept_answers.md).
//
// It is written through the page cache and never synced: a power cut may take the newest answers,
// and a call that comes again is then told so (answer_lost), never given another one.
//
// Threads: lives on the main loop.

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include "core/ids.h"
#include "core/operation.h"
#include "core/result.h"

namespace zap {

/// What an application answered to the call at one index, and which call that was.
struct KeptAnswer {
  Digest key;  ///< OnceKey::key
  Reply reply;
};

class AnswerFile {
 public:
  /// Visits what the file holds, the newest last. Bytes behind the last whole answer are cut off.
  static Result<std::unique_ptr<AnswerFile>> open(
      std::filesystem::path path, const std::function<void(Index, KeptAnswer)>& visit);
  ~AnswerFile();
  AnswerFile(const AnswerFile&) = delete;
  AnswerFile& operator=(const AnswerFile&) = delete;

  Result<void> append(Index index, const KeptAnswer& answer);
  /// The file holds these alone afterwards.
  Result<void> rewrite(const std::map<Index, KeptAnswer>& answers);
  std::size_t size() const { return size_; }

 private:
  AnswerFile(std::filesystem::path path, int descriptor, std::size_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}

  const std::filesystem::path path_;
  int descriptor_;
  std::size_t size_;
};

}  // namespace zap
