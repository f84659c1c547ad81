#include "proxy/app/app_progress.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/check.h"
#include "core/digest.h"

namespace zap {

// The file's layout (docs/application_state.md). One sector, so that a disk writes it whole or not.
struct AppProgress::Page {
  std::array<char, 8> magic;
  std::uint64_t answered;
  std::uint64_t sent;
  std::uint64_t ever_sent;
  std::uint64_t quarantined_at;
  std::array<std::uint8_t, 32> run_digest;
  std::uint64_t run_size;
  std::array<char, 432> run;
};

namespace {

constexpr std::array<char, 8> kMagic = {'Z', 'A', 'P', 'A', 'P', 'P', '0', '1'};
constexpr std::array<char, 8> kBlank = {};

/// The process may be killed between any two marks: they must reach the map in program order.
void set(std::uint64_t& mark, std::uint64_t value) {
  std::atomic_ref(mark).store(value, std::memory_order_release);
}

Digest digest_of_run(std::string_view run) {
  return Hasher("zap application run").add(run).finish();
}

}  // namespace

Result<std::unique_ptr<AppProgress>> AppProgress::open(const std::filesystem::path& file) {
  static_assert(sizeof(Page) == 512);
  const auto failed = [&file](const char* what) {
    return Error{ErrorCode::kIo, std::string("cannot ") + what + " " + file.string() + ": " +
                                     std::strerror(errno) +
                                     "; the sidecar keeps there which calls the application has"};
  };
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return failed("open");
  void* map = MAP_FAILED;
  if (::posix_fallocate(fd, 0, sizeof(Page)) == 0) {
    map = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  ::close(fd);
  if (map == MAP_FAILED) return failed("map");
  return std::unique_ptr<AppProgress>(new AppProgress(static_cast<Page*>(map)));
}

AppProgress::~AppProgress() { ::munmap(page_, sizeof(Page)); }

bool AppProgress::known() const {
  return page_->magic == kMagic && page_->run_size <= page_->run.size() &&
         page_->answered <= page_->sent && page_->sent <= page_->ever_sent &&
         digest_of_run(run()).bytes == page_->run_digest;
}

std::string_view AppProgress::run() const {
  return {page_->run.data(), std::min<std::size_t>(page_->run_size, page_->run.size())};
}

Index AppProgress::sent() const { return page_->sent; }
Index AppProgress::answered() const { return page_->answered; }
Index AppProgress::ever_sent() const { return page_->ever_sent; }

void AppProgress::begin_run(std::string_view run, Index answered, Index ever_sent) {
  ZAP_CHECK(run.size() <= page_->run.size(), "identity of " << run.size() << " bytes: " << run);
  if (known()) ever_sent = page_->ever_sent;
  page_->magic = kBlank;  // a sidecar killed here knows nothing, rather than something wrong
  std::atomic_signal_fence(std::memory_order_release);  // one thread: only the compiler reorders
  std::copy(run.begin(), run.end(), page_->run.begin());
  page_->run_size = run.size();
  page_->run_digest = digest_of_run(run).bytes;
  page_->answered = page_->sent = answered;
  page_->ever_sent = std::max(ever_sent, answered);
  std::atomic_signal_fence(std::memory_order_release);
  page_->magic = kMagic;
}

Index AppProgress::quarantined_at() const { return page_->quarantined_at; }

void AppProgress::quarantine(Index first_differing) {
  set(page_->quarantined_at, first_differing);
  // Unlike a mark, it must outlive a power cut: a durable application does.
  ::msync(page_, sizeof(Page), MS_SYNC);
}

void AppProgress::lift_quarantine() { quarantine(0); }

void AppProgress::mark_sent(Index index) {
  if (index > page_->ever_sent) set(page_->ever_sent, index);
  set(page_->sent, index);
}

void AppProgress::mark_answered(Index index) {
  if (index > page_->ever_sent) set(page_->ever_sent, index);
  if (index > page_->sent) set(page_->sent, index);
  set(page_->answered, index);
}

}  // namespace zap
