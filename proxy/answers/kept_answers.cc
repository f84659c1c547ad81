#include "proxy/answers/kept_answers.h"

#include <utility>

#include "proxy/face/logging.h"

namespace zap {
namespace {

/// A file that holds so much more than what is kept is written anew.
constexpr std::size_t kWasteFactor = 4;
constexpr std::size_t kWasteBytes = 16'000'000;

}  // namespace

Result<void> KeptAnswers::open(const std::filesystem::path& file) {
  auto opened = AnswerFile::open(
      file, [this](Index index, KeptAnswer answer) { take(index, std::move(answer)); });
  if (!opened) return opened.error();
  file_ = std::move(*opened);
  return {};
}

void KeptAnswers::keep(Index index, const Digest& key, const Reply& reply) {
  const KeptAnswer answer{key, reply};
  if (!take(index, answer) || !file_) return;
  const bool mostly_waste = file_->size() > kWasteFactor * bytes_ + kWasteBytes;
  const Result<void> written =
      mostly_waste ? file_->rewrite(answers_) : file_->append(index, answer);
  if (!written) failed(written.error());
}

/// An index that another call had before (the log had lost its end) is taken from that.
bool KeptAnswers::take(Index index, KeptAnswer answer) {
  const auto known = answers_.find(index);
  if (known != answers_.end() && known->second.key == answer.key) return false;
  if (known != answers_.end()) erase(known);
  bytes_ += answer.reply.payload.size();
  answers_.emplace(index, std::move(answer));
  while (answers_.size() > answers_max_ || bytes_ > bytes_max_) erase(answers_.begin());
  return true;
}

const Reply* KeptAnswers::find(Index index, const Digest& key) const {
  const auto found = answers_.find(index);
  return found == answers_.end() || found->second.key != key ? nullptr : &found->second.reply;
}

void KeptAnswers::forget_from(Index index) {
  if (answers_.lower_bound(index) == answers_.end()) return;
  while (!answers_.empty() && answers_.rbegin()->first >= index) erase(std::prev(answers_.end()));
  if (!file_) return;
  if (const auto written = file_->rewrite(answers_); !written) failed(written.error());
}

void KeptAnswers::erase(std::map<Index, KeptAnswer>::iterator answer) {
  bytes_ -= answer->second.reply.payload.size();
  answers_.erase(answer);
}

void KeptAnswers::failed(const Error& error) {
  file_.reset();
  log_error("answers to calls with idempotency keys will not outlive this process",
            {{"error", error.message}});
}

}  // namespace zap
