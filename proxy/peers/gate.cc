#include "proxy/peers/gate.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "consensus/pbft/statement.h"
#include "consensus/wire/codec.h"
#include "core/check.h"
#include "core/limits.h"
#include "proxy/peers/crypto.h"
#include "proxy/peers/verified_signatures.h"

namespace zap {

namespace {

/// Decoded at once on the loop, below this size, while nothing of its sender waits.
constexpr std::size_t kInlineBytes = 4'096;
/// Signatures verified on the loop in one turn, while nothing at all waits: about 50 us each.
constexpr unsigned kInlineSignatures = 1;

/// Decoded and consistent; true once its signatures are.
struct Opened {
  wire::PeerMessage message;
  std::vector<pbft::ToVerify> signatures;
};

/// The checks themselves. Any thread.
class Checks {
 public:
  explicit Checks(const GateSettings& settings)
      : settings_(settings), verified_(limits::kVerifiedSignatures) {}

  Result<Opened> open(NodeId from, Bytes frame) const {
    Result<wire::PeerMessage> decoded = wire::decode(std::move(frame));
    if (!decoded) return decoded.error();
    Opened opened{std::move(*decoded), {}};
    if (const Message* message = std::get_if<Message>(&opened.message)) {
      const pbft::Leadership leadership{&settings_.membership, settings_.fixed_leader};
      auto signatures =
          pbft::signatures_to_verify(settings_.cluster, leadership, from, settings_.self, *message);
      if (!signatures) return signatures.error();
      opened.signatures = std::move(*signatures);
    }
    return opened;
  }

  Result<void> verify(const std::vector<pbft::ToVerify>& signatures) {
    for (const pbft::ToVerify& each : signatures) {
      if (verified_.contains(each)) continue;
      const Member* const signer = settings_.membership.find(each.signer);
      if (!signer || !zap::verify(signer->public_key, each.statement, each.signature)) {
        return Error{ErrorCode::kUnauthorized, "a signature of " +
                                                   settings_.membership.name_of(each.signer) +
                                                   " that its key did not make"};
      }
      verified_.add(each);
    }
    return {};
  }

 private:
  const GateSettings settings_;
  VerifiedSignatures verified_;
};

struct Job {
  std::size_t bytes = 0;
  std::variant<Bytes, Opened> work;
};

struct Verdict {
  NodeId from = 0;
  std::size_t bytes = 0;
  Result<wire::PeerMessage> message;
};

/// Worker threads, and a lane of jobs for each peer: one job of a lane is worked on at a time, and
/// lanes take turns.
class Workers {
 public:
  /// `wake` is called from a worker when take_done() has something after it had nothing.
  Workers(unsigned threads, Checks& checks, std::function<void()> wake)
      : checks_(checks), wake_(std::move(wake)) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }

  ~Workers() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void add(NodeId from, Job job) {
    {
      const std::lock_guard lock(mutex_);
      Lane& lane = lanes_[from];
      lane.jobs.push_back(std::move(job));
      if (lane.busy || lane.jobs.size() > 1) return;  // its turn is coming already
      turns_.push_back(from);
    }
    work_.notify_one();
  }

  std::vector<Verdict> take_done() {
    const std::lock_guard lock(mutex_);
    return std::exchange(done_, {});
  }

  /// Removes a lane's jobs that nobody has begun.
  std::deque<Job> remove(NodeId from) {
    const std::lock_guard lock(mutex_);
    return std::exchange(lanes_[from].jobs, {});
  }

 private:
  struct Lane {
    std::deque<Job> jobs;
    bool busy = false;
  };

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [this] { return stopping_ || !turns_.empty(); });
      if (stopping_) return;
      const NodeId from = turns_.front();
      turns_.pop_front();
      Lane& lane = lanes_[from];
      if (lane.busy || lane.jobs.empty()) continue;  // remove() may have left a turn behind
      Job job = std::move(lane.jobs.front());
      lane.jobs.pop_front();
      lane.busy = true;

      lock.unlock();
      const std::size_t bytes = job.bytes;
      Result<wire::PeerMessage> message = work_on(from, std::move(job));
      lock.lock();

      lane.busy = false;
      if (!lane.jobs.empty()) turns_.push_back(from);
      const bool first = done_.empty();
      done_.push_back({from, bytes, std::move(message)});
      if (first) {
        lock.unlock();
        wake_();
        lock.lock();
      }
    }
  }

  Result<wire::PeerMessage> work_on(NodeId from, Job job) {
    Result<Opened> opened = std::holds_alternative<Opened>(job.work)
                                ? std::move(std::get<Opened>(job.work))
                                : checks_.open(from, std::move(std::get<Bytes>(job.work)));
    if (!opened) return opened.error();
    if (const Result<void> valid = checks_.verify(opened->signatures); !valid) {
      return valid.error();
    }
    return std::move(opened->message);
  }

  Checks& checks_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::map<NodeId, Lane> lanes_;
  std::deque<NodeId> turns_;  ///< every lane that has jobs and is not busy
  std::vector<Verdict> done_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

class Gate::Impl : public std::enable_shared_from_this<Gate::Impl> {
 public:
  Impl(EventLoop& loop, const GateSettings& settings, GateHandlers handlers)
      : loop_(loop), handlers_(std::move(handlers)), checks_(settings) {}

  void start(unsigned threads) {
    ZAP_CHECK(threads > 0, "a gate without threads lets nothing pass");
    workers_ = std::make_unique<Workers>(threads, checks_, [this, weak = weak_from_this()] {
      loop_.post([weak] {
        if (const auto self = weak.lock()) self->deliver();
      });
    });
  }

  void submit(NodeId from, Bytes frame) {
    const std::size_t bytes = frame.size();
    if (load_[from].frames > 0 || bytes > kInlineBytes) {
      return enqueue(from, bytes, std::move(frame));
    }
    Result<Opened> opened = checks_.open(from, std::move(frame));
    if (!opened) return handlers_.on_failed(from, opened.error());
    if (!opened->signatures.empty() && handlers_.is_superfluous(opened->message)) return;
    if (!may_verify_here(opened->signatures.size())) {
      return enqueue(from, bytes, std::move(*opened));
    }
    if (const Result<void> valid = checks_.verify(opened->signatures); !valid) {
      return handlers_.on_failed(from, valid.error());
    }
    handlers_.on_passed(from, std::move(opened->message));
  }

  bool full(NodeId from) const {
    const auto load = load_.find(from);
    return load != load_.end() && load->second.reaches(1);
  }

  void forget(NodeId from) {
    for (const Job& job : workers_->remove(from)) lighten(from, job.bytes);
  }

 private:
  struct Load {
    std::size_t frames = 0;
    std::size_t bytes = 0;
    bool was_full = false;

    /// The limits, or that part of them.
    bool reaches(std::size_t part) const {
      return frames >= limits::kGateFramesPerPeer / part ||
             bytes >= limits::kGateBytesPerPeer / part;
    }
  };

  bool may_verify_here(std::size_t signatures) {
    if (signatures == 0) return true;
    if (waiting_ > 0 || signatures + verified_in_turn_ > kInlineSignatures) return false;
    if (verified_in_turn_ == 0) {
      loop_.at_end_of_turn([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->verified_in_turn_ = 0;
      });
    }
    verified_in_turn_ += static_cast<unsigned>(signatures);
    return true;
  }

  template <typename Work>
  void enqueue(NodeId from, std::size_t bytes, Work work) {
    Load& load = load_[from];
    ++waiting_;
    ++load.frames;
    load.bytes += bytes;
    load.was_full |= load.reaches(1);
    workers_->add(from, {bytes, std::move(work)});
  }

  void lighten(NodeId from, std::size_t bytes) {
    Load& load = load_[from];
    --waiting_;
    --load.frames;
    load.bytes -= bytes;
  }

  void deliver() {
    for (Verdict& verdict : workers_->take_done()) {
      lighten(verdict.from, verdict.bytes);
      if (verdict.message) {
        handlers_.on_passed(verdict.from, std::move(*verdict.message));
      } else {
        handlers_.on_failed(verdict.from, verdict.message.error());
      }
      Load& load = load_[verdict.from];
      if (load.was_full && !load.reaches(2)) {
        load.was_full = false;
        handlers_.on_room(verdict.from);
      }
    }
  }

  EventLoop& loop_;
  const GateHandlers handlers_;
  Checks checks_;
  std::map<NodeId, Load> load_;
  std::size_t waiting_ = 0;  ///< frames of all peers with the workers
  unsigned verified_in_turn_ = 0;
  std::unique_ptr<Workers> workers_;  ///< last: joined before what they use is gone
};

Gate::Gate(EventLoop& loop, const GateSettings& settings, GateHandlers handlers)
    : impl_(std::make_shared<Impl>(loop, settings, std::move(handlers))) {
  impl_->start(settings.threads);
}
Gate::~Gate() = default;

void Gate::submit(NodeId from, Bytes frame) { impl_->submit(from, std::move(frame)); }
bool Gate::full(NodeId from) const { return impl_->full(from); }
void Gate::forget(NodeId from) { impl_->forget(from); }

}  // namespace zap
