#include "store/vote_mark.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "store/crc32c.h"
#include "store/files.h"
#include "store/little_endian.h"

namespace zap::store {
namespace {

constexpr std::string_view kMagic = "ZAPMARK1";
constexpr std::size_t kSlotStride = 4096;  // no torn sector reaches both slots
constexpr std::size_t kBootIdBytes = 36;
constexpr std::size_t kSlotBytes =
    8 + 8 + 32 + 8 + 32 + 8 + 8 + 8 + kBootIdBytes + 1 + 1 + 1 + 1 + 4;
constexpr const char* kFileName = "vote_mark";

struct Slot {
  std::uint64_t generation = 0;
  Mark mark;
};

std::string encode(const Slot& slot) {
  const Mark& mark = slot.mark;
  std::string bytes(kMagic);
  put_little_endian(bytes, slot.generation, 8);
  bytes += mark.cluster.view();
  put_little_endian(bytes, mark.position, 8);
  bytes += mark.chain.view();
  put_little_endian(bytes, mark.incarnation, 8);
  put_little_endian(bytes, mark.vote.view, 8);
  put_little_endian(bytes, mark.vote.seq, 8);
  std::string boot_id = mark.boot_id;
  boot_id.resize(kBootIdBytes, '\0');
  bytes += boot_id;
  put_little_endian(bytes, static_cast<std::uint8_t>(mark.sync_mode), 1);
  put_little_endian(bytes, mark.clean ? 1 : 0, 1);
  put_little_endian(bytes, mark.lost ? 1 : 0, 1);
  put_little_endian(bytes, 0, 1);
  put_little_endian(bytes, crc32c(bytes), 4);
  return bytes;
}

class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}
  std::string_view take(std::size_t size) {
    const std::string_view field = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return field;
  }
  std::uint64_t number(std::size_t width) { return get_little_endian(take(width)); }
  Digest digest() {
    Digest digest;
    std::memcpy(digest.bytes.data(), take(digest.bytes.size()).data(), digest.bytes.size());
    return digest;
  }

 private:
  std::string_view rest_;
};

/// Nothing unless every byte is as encode() would have written it.
std::optional<Slot> decode(std::string_view bytes) {
  Fields fields(bytes);
  if (fields.take(kMagic.size()) != kMagic) return std::nullopt;
  Slot slot;
  slot.generation = fields.number(8);
  Mark& mark = slot.mark;
  mark.cluster = fields.digest();
  mark.position = fields.number(8);
  mark.chain = fields.digest();
  mark.incarnation = fields.number(8);
  mark.vote.view = fields.number(8);
  mark.vote.seq = fields.number(8);
  const std::string_view boot_id = fields.take(kBootIdBytes);
  mark.boot_id = boot_id.substr(0, boot_id.find('\0'));
  const std::uint64_t sync_mode = fields.number(1);
  if (sync_mode > static_cast<std::uint8_t>(SyncMode::kNever)) return std::nullopt;
  mark.sync_mode = static_cast<SyncMode>(sync_mode);
  mark.clean = fields.number(1) != 0;
  mark.lost = fields.number(1) != 0;
  if (encode(slot) != bytes) return std::nullopt;
  return slot;
}

std::optional<Slot> read_slot(int descriptor, std::size_t which) {
  std::array<char, kSlotBytes> bytes;
  const ssize_t size =
      ::pread(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(which * kSlotStride));
  if (size != static_cast<ssize_t>(bytes.size())) return std::nullopt;
  return decode({bytes.data(), bytes.size()});
}

Result<void> write_slot(int descriptor, const std::string& name, const Slot& slot) {
  const std::string bytes = encode(slot);
  const auto offset = static_cast<off_t>(slot.generation % 2 * kSlotStride);
  const ssize_t written = ::pwrite(descriptor, bytes.data(), bytes.size(), offset);
  if (written != static_cast<ssize_t>(bytes.size())) {
    if (written >= 0) errno = ENOSPC;
    return io_error("cannot write " + name);
  }
  if (::fdatasync(descriptor) != 0) return io_error("cannot sync " + name);
  return {};
}

bool holds_a_log(const std::filesystem::path& path) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name == kFileName || name.starts_with("segment-")) return true;
  }
  return false;
}

}  // namespace

Digest cluster_digest(const ClusterId& cluster) {
  return Hasher("zap cluster").add(std::string_view(cluster)).finish();
}

Result<void> create_zero_mark(const std::filesystem::path& path, const ClusterId& cluster) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return Error{ErrorCode::kIo, "cannot make folder " + path.string() + ": " + error.message()};
  }
  if (holds_a_log(path)) {
    return Error{ErrorCode::kInvalid, "folder " + path.string() +
                                          " already holds a node's log; name an empty one, or "
                                          "start the node that it belongs to"};
  }
  // The log will hold what clients sent: its owner alone may look inside.
  std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  if (error) {
    return Error{ErrorCode::kIo,
                 "cannot close folder " + path.string() + " to others: " + error.message()};
  }
  const std::string name = (path / kFileName).string();
  const int descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return io_error("cannot create " + name);
  Result<void> done;
  for (std::uint64_t generation = 0; done && generation < 2; ++generation) {
    done = write_slot(descriptor, name, {generation, Mark{.cluster = cluster_digest(cluster)}});
  }
  ::close(descriptor);
  if (done) done = sync_folder(path);
  if (done) done = sync_folder(std::filesystem::absolute(path).parent_path());
  return done;
}

Result<MarkFile> MarkFile::open(const std::filesystem::path& path) {
  const std::string name = (path / kFileName).string();
  const int descriptor = ::open(name.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0 && errno != ENOENT) return io_error("cannot open " + name);
  if (descriptor < 0) {
    return Error{ErrorCode::kNotFound,
                 "no vote mark " + name +
                     ": this node cannot know what it has voted for. If it never ran, start it "
                     "with `run --new`; if its disk was lost, give it a new identity with "
                     "`members replace`"};
  }
  MarkFile file(descriptor, name);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return Error{ErrorCode::kUnavailable,
                 name + " is in use by another process; stop that sidecar first"};
  }
  const Result<void> read = file.read_newest();
  if (!read) return read.error();
  return file;
}

MarkFile::MarkFile(MarkFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      name_(std::move(other.name_)),
      generation_(other.generation_),
      mark_(std::move(other.mark_)) {}

MarkFile::~MarkFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> MarkFile::read_newest() {
  std::optional<Slot> newest;
  for (std::size_t which = 0; which < 2; ++which) {
    std::optional<Slot> slot = read_slot(descriptor_, which);
    if (!slot || slot->generation % 2 != which) continue;
    if (!newest || slot->generation > newest->generation) newest = std::move(slot);
  }
  if (!newest) {
    return Error{ErrorCode::kCorrupt,
                 "neither slot of " + name_ +
                     " can be read: this node cannot know what it has voted for. Give it a new "
                     "identity with `members replace` (`run --new` is for one that never ran)"};
  }
  generation_ = newest->generation;
  mark_ = std::move(newest->mark);
  return {};
}

Result<void> MarkFile::write(const Mark& mark) {
  Result<void> written = write_slot(descriptor_, name_, {generation_ + 1, mark});
  if (!written) return written;
  ++generation_;
  mark_ = mark;
  return {};
}

Result<void> MarkFile::write_both(const Mark& mark) {
  Result<void> first = write(mark);
  if (!first) return first;
  return write(mark);
}

}  // namespace zap::store
