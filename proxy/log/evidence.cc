#include "proxy/log/evidence.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "consensus/wire/codec.h"
#include "core/limits.h"

namespace zap {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

/// What makes two pieces of evidence the like of each other.
std::string kind_of(const Json& line) {
  return line.value("what", "") + " in term " + std::to_string(line.value("term", View{0})) +
         " at slot " + std::to_string(line.value("slot", Seq{0}));
}

Error io_error(const std::filesystem::path& file) {
  return {ErrorCode::kIo, "cannot write " + file.string() + ": " + std::strerror(errno)};
}

/// In a line of its own, whatever a crash has left before it; durable on return.
Result<void> append_line(const std::filesystem::path& file, const std::string& text) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return io_error(file);
  const std::string line = "\n" + text + "\n";
  const bool written = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                       ::fsync(fd) == 0;
  const Result<void> result = written ? Result<void>() : io_error(file);
  ::close(fd);
  return result;
}

template <typename Visit>
void for_each_line(const std::filesystem::path& file, const Visit& visit) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object()) visit(json);
  }
}

}  // namespace

Evidence::Evidence(const std::filesystem::path& folder, Membership membership)
    : file_(folder / "evidence.jsonl"), membership_(std::move(membership)) {
  for_each_line(
      file_, [this](const Json& line) { known_[line.value("node_id", "")].insert(kind_of(line)); });
}

Result<bool> Evidence::keep(const Notice& notice, WallTime now) {
  const std::string member = membership_.name_of(notice.node);
  Json line = {{"node_id", member},  {"what", notice.text}, {"term", notice.view},
               {"slot", notice.seq}, {"seen", now},         {"signed", Json::array()}};
  std::set<std::string>& known = known_[member];
  if (known.size() >= limits::kEvidencePerMember || !known.insert(kind_of(line)).second) {
    return false;
  }
  for (const Message& message : notice.evidence) {
    line["signed"].push_back(hex(wire::encode(message).view()));
  }
  if (const Result<void> kept = append_line(file_, line.dump()); !kept) return kept.error();
  return true;
}

std::size_t Evidence::count(const std::string& member) const {
  const auto known = known_.find(member);
  return known == known_.end() ? 0 : known->second.size();
}

std::vector<std::string> Evidence::sentences() const {
  std::vector<std::string> sentences;
  for (const auto& [member, known] : known_) {
    if (known.empty()) continue;
    sentences.push_back(member + " has signed what contradicts itself (" +
                        std::to_string(known.size()) + " proofs): see /evidence, and replace it");
  }
  return sentences;
}

std::string Evidence::json() const {
  Json all = Json::array();
  for_each_line(file_, [&all](const Json& line) { all.push_back(line); });
  return all.dump() + "\n";
}

}  // namespace zap
