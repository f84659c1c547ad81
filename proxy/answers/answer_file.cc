#include "proxy/answers/answer_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "core/limits.h"
#include "store/crc32c.h"
#include "store/files.h"
#include "store/little_endian.h"

namespace zap {
namespace {

constexpr std::string_view kMagic = "ZAPANS01";
constexpr std::size_t kDigestBytes = sizeof(Digest::bytes);
/// index, key, digest, payload size, CRC-32C of these and the payload
constexpr std::size_t kHeadBytes = 8 + 2 * kDigestBytes + 4 + 4;

std::string encode(Index index, const KeptAnswer& answer) {
  std::string bytes;
  bytes.reserve(kHeadBytes + answer.reply.payload.size());
  store::put_little_endian(bytes, index, 8);
  bytes += answer.key.view();
  bytes += answer.reply.compared.view();
  store::put_little_endian(bytes, answer.reply.payload.size(), 4);
  const std::uint32_t crc = store::crc32c(answer.reply.payload.view(), store::crc32c(bytes));
  store::put_little_endian(bytes, crc, 4);
  bytes += answer.reply.payload.view();
  return bytes;
}

Digest digest_at(std::string_view bytes) {
  Digest digest;
  std::copy_n(bytes.begin(), kDigestBytes, digest.bytes.begin());
  return digest;
}

/// The answer that `bytes` begins with, and how long it is; none where it is not whole.
struct Decoded {
  Index index;
  KeptAnswer answer;
  std::size_t size;
};
std::optional<Decoded> decode(std::string_view bytes) {
  if (bytes.size() < kHeadBytes) return std::nullopt;
  const std::size_t payload_size = store::get_little_endian(bytes.substr(kHeadBytes - 8, 4));
  if (payload_size > bytes.size() - kHeadBytes) return std::nullopt;
  const std::string_view payload = bytes.substr(kHeadBytes, payload_size);
  const std::uint32_t crc = store::crc32c(payload, store::crc32c(bytes.substr(0, kHeadBytes - 4)));
  if (crc != store::get_little_endian(bytes.substr(kHeadBytes - 4, 4))) return std::nullopt;
  return Decoded{store::get_little_endian(bytes.substr(0, 8)),
                 {digest_at(bytes.substr(8)),
                  {Bytes::copy_of(payload), digest_at(bytes.substr(8 + kDigestBytes))}},
                 kHeadBytes + payload_size};
}

Result<void> write_all(int descriptor, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) return store::io_error("cannot write " + path.string());
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;

}  // namespace

Result<std::unique_ptr<AnswerFile>> AnswerFile::open(
    std::filesystem::path path, const std::function<void(Index, KeptAnswer)>& visit) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::size_t whole = 0;
  if (std::string_view(bytes).substr(0, kMagic.size()) == kMagic) {
    whole = kMagic.size();
    while (auto next = decode(std::string_view(bytes).substr(whole))) {
      whole += next->size;
      visit(next->index, std::move(next->answer));
    }
  }
  const int descriptor = ::open(path.c_str(), kFlags, 0600);
  if (descriptor < 0) return store::io_error("cannot open " + path.string());
  std::unique_ptr<AnswerFile> opened(new AnswerFile(std::move(path), descriptor, whole));
  if (::ftruncate(descriptor, static_cast<off_t>(whole)) != 0) {
    return store::io_error("cannot cut " + opened->path_.string());
  }
  if (whole == 0) {
    if (const auto written = write_all(descriptor, kMagic, opened->path_); !written) {
      return written.error();
    }
    opened->size_ = kMagic.size();
  }
  return opened;
}

AnswerFile::~AnswerFile() { ::close(descriptor_); }

Result<void> AnswerFile::append(Index index, const KeptAnswer& answer) {
  const std::string bytes = encode(index, answer);
  size_ += bytes.size();
  return write_all(descriptor_, bytes, path_);
}

Result<void> AnswerFile::rewrite(const std::map<Index, KeptAnswer>& answers) {
  std::string bytes(kMagic);
  for (const auto& [index, answer] : answers) bytes += encode(index, answer);
  const std::filesystem::path fresh = path_.string() + ".new";
  ::unlink(fresh.c_str());
  const int descriptor = ::open(fresh.c_str(), kFlags, 0600);
  if (descriptor < 0) return store::io_error("cannot open " + fresh.string());
  const Result<void> written = write_all(descriptor, bytes, fresh);
  if (!written || ::rename(fresh.c_str(), path_.c_str()) != 0) {
    ::close(descriptor);
    return written ? Result<void>(store::io_error("cannot rename " + fresh.string())) : written;
  }
  ::close(std::exchange(descriptor_, descriptor));
  size_ = bytes.size();
  return {};
}

}  // namespace zap
