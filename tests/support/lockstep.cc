#include "tests/support/lockstep.h"

#include <algorithm>
#include <utility>

#include "tests/support/describe.h"

namespace zap::test {

namespace {

constexpr Duration kStep = std::chrono::milliseconds(10);
constexpr WallTime kDeadline = 1'000'000'000'000'000;

}  // namespace

class Lockstep::Node final : public DriverPorts {
 public:
  Node(Lockstep& world, NodeId self) : world_(world), self_(self) {}

  void start() {
    ++incarnation_;
    number_ = 0;
    applied_.clear();
    pbft::Restorer restorer(world_.settings_.cluster, world_.policy_);
    for (const Record& record : log_) {
      const auto executed = restorer.add(record);
      ZAP_CHECK(executed, executed.error().message);
      if (*executed) decided(**executed);
    }
    pbft::Settings settings = world_.settings_;
    settings.self = self_;
    engine_ =
        pbft::make_replica(settings, std::move(restorer).finish(incarnation_, {}), world_.policy_);
    driver_ = std::make_unique<Driver>(self_, *engine_, *this);
    driver_->step(Tick{});
  }
  void stop() {
    driver_.reset();
    engine_.reset();
  }
  bool running() const { return engine_ != nullptr; }

  void submit(const std::string& payload) {
    Operation operation;
    operation.id = {self_, incarnation_, ++number_};
    operation.deadline = kDeadline;
    operation.listener = "main";
    operation.method = "POST /";
    operation.payload = payload;
    step(Submit{{std::move(operation)}});
  }
  void step(Input input) {
    driver_->step(std::move(input));
    driver_->log_is_durable(driver_->appended());
    engine_->check_invariants();
  }

  void append_to_log(std::vector<Record> records) override {
    for (Record& record : records) log_.push_back(std::move(record));
  }
  void sync_log() override {}
  void sign(Message&) override {}
  void send(NodeId peer, const MessagePtr& message) override {
    world_.in_flight_.push_back({self_, peer, message});
    world_.sent_.push_back(std::to_string(self_) + ">" + std::to_string(peer) + " " +
                           describe(*message));
  }
  void serve_from_log(const Serve& request) override {
    pbft::DecidedDigests digests{request.first, {}};
    pbft::Batches batches;
    std::map<Digest, std::vector<CallPtr>> calls;
    for (const Record& record : log_) {
      if (const auto* accepted = std::get_if<pbft::Accepted>(&record)) {
        if (!accepted->content.calls.empty()) calls[accepted->digest] = accepted->content.calls;
      }
      const auto* slot = std::get_if<pbft::Decided>(&record);
      if (!slot || slot->content.seq < request.first || slot->content.seq > request.last) continue;
      digests.digests.push_back(slot->digest);
      batches.contents.push_back(slot->content);
      if (slot->content.calls.empty()) batches.contents.back().calls = calls[slot->digest];
    }
    if (request.what == Serve::What::kDigests) {
      send(request.to, std::make_shared<const Message>(std::move(digests)));
    } else {
      send(request.to, std::make_shared<const Message>(std::move(batches)));
    }
  }
  void decided(const Decision& decision) override {
    for (const DecidedCall& call : decision.calls) {
      if (call.outcome != Outcome::kApplied) continue;
      if (!applied_.empty()) applied_ += ' ';
      applied_ += call.call->operation.payload.view();
    }
  }
  void notice(const Notice& notice) override { notices_.push_back(notice); }
  void wake_at(Instant) override {}
  Now now() override { return world_.now_; }

  std::string applied_;
  std::vector<Notice> notices_;
  std::vector<Record> log_;
  std::unique_ptr<Engine> engine_;

 private:
  Lockstep& world_;
  const NodeId self_;
  Incarnation incarnation_ = 0;
  std::uint64_t number_ = 0;
  std::unique_ptr<Driver> driver_;
};

Lockstep::Lockstep(std::uint32_t n, pbft::Settings settings, pbft::Policy policy)
    : settings_(std::move(settings)), policy_(policy) {
  settings_.cluster = "test";
  for (NodeId id = 0; id < n; ++id) {
    settings_.membership.members.push_back({id, "node" + std::to_string(id + 1), "", {}});
  }
  now_ = {Instant(std::chrono::hours(1)), 1'000'000'000'000};
  for (NodeId id = 0; id < n; ++id) nodes_.push_back(std::make_unique<Node>(*this, id));
  for (NodeId id = 0; id < n; ++id) nodes_[id]->start();
  pass(settings_.round_timeout);
  sent_.clear();
}

Lockstep::~Lockstep() = default;

void Lockstep::submit(NodeId node, const std::string& payload) { nodes_[node]->submit(payload); }

void Lockstep::backlog(NodeId node, bool full) { nodes_[node]->step(Backlog{.full = full}); }

void Lockstep::forge(NodeId from, NodeId to, Message message) {
  in_flight_.push_back({from, to, std::make_shared<const Message>(std::move(message))});
}

void Lockstep::deliver(const Filter& lose) {
  while (!in_flight_.empty()) {
    const InFlight next = std::move(in_flight_.front());
    in_flight_.pop_front();
    if (!nodes_[next.from]->running() || !nodes_[next.to]->running()) continue;
    if (!lose || !lose(next)) nodes_[next.to]->step(Receive{next.from, next.message});
  }
}

void Lockstep::pass(Duration time, const Filter& lose) {
  deliver(lose);
  for (Duration passed{0}; passed < time; passed += kStep) {
    now_.instant += kStep;
    now_.wall += kStep.count();
    for (const std::unique_ptr<Node>& node : nodes_) {
      if (node->running()) node->step(Tick{});
    }
    deliver(lose);
  }
}

void Lockstep::stop(NodeId node) { nodes_[node]->stop(); }

void Lockstep::start(NodeId node, std::size_t forgotten) {
  std::vector<Record>& log = nodes_[node]->log_;
  log.resize(log.size() - std::min(forgotten, log.size()));
  nodes_[node]->start();
  for (NodeId peer = 0; peer < nodes_.size(); ++peer) {
    if (peer == node || !nodes_[peer]->running()) continue;
    nodes_[peer]->step(Connected{node});
    nodes_[node]->step(Connected{peer});
  }
}

std::string Lockstep::applied(NodeId node) const { return nodes_[node]->applied_; }
Engine& Lockstep::engine(NodeId node) { return *nodes_[node]->engine_; }
const std::vector<Notice>& Lockstep::notices(NodeId node) const { return nodes_[node]->notices_; }
std::vector<Record>& Lockstep::log(NodeId node) { return nodes_[node]->log_; }
std::vector<std::string> Lockstep::sent() { return std::exchange(sent_, {}); }

}  // namespace zap::test
