#include "tests/simulation/sabotage.h"

#include <iterator>
#include <utility>

namespace zap::simulation {

namespace {

class Saboteur final : public Engine {
 public:
  Saboteur(const Sabotage& sabotage, std::unique_ptr<Engine> engine)
      : sabotage_(sabotage), engine_(std::move(engine)) {}

  Outputs step(const Now& now, const Input& input) override {
    Outputs outputs = engine_->step(now, heard(input));
    if (sabotage_.vote_before_durable) {
      std::move(outputs.after_write.begin(), outputs.after_write.end(),
                std::back_inserter(outputs.at_once));
      outputs.after_write.clear();
    }
    if (sabotage_.decisions_out_of_order && outputs.decided.size() > 1) {
      std::swap(outputs.decided[0], outputs.decided[1]);
    }
    if (sabotage_.no_certificates_in_view_change) {
      for (Record& record : outputs.write)
        drop_certificates(std::get_if<pbft::ViewChange>(&record));
      for (Send& send : outputs.after_write) {
        drop_certificates(std::get_if<pbft::ViewChange>(&send.message));
      }
    }
    for (Send& send : outputs.at_once) {
      if (auto* status = std::get_if<pbft::Status>(&send.message)) hide_horizon(*status);
    }
    std::erase_if(outputs.at_once, [this](const Send& send) { return is_withheld(send); });
    return outputs;
  }

  EngineState state() const override { return engine_->state(); }
  std::size_t room() const override { return engine_->room(); }
  bool is_decided(const OperationId& id) const override { return engine_->is_decided(id); }
  bool is_superfluous(const Message& message) const override {
    return engine_->is_superfluous(message);
  }
  void check_invariants() const override { engine_->check_invariants(); }
  std::string dump() const override { return engine_->dump(); }

 private:
  Input heard(const Input& input) const {
    const auto* receive = std::get_if<Receive>(&input);
    const auto* shown = receive ? std::get_if<pbft::Shown>(receive->message.get()) : nullptr;
    if (!shown || !sabotage_.vote_after_amnesia) return input;
    pbft::Shown nothing{.answers = shown->answers, .stable = shown->stable};
    return Receive{receive->from, std::make_shared<const Message>(std::move(nothing))};
  }

  void drop_certificates(pbft::ViewChange* change) const {
    if (change) change->prepared.clear();
  }

  void hide_horizon(pbft::Status& status) const {
    if (sabotage_.horizon_untold) status.horizon = 0;
  }

  bool is_withheld(const Send& send) const {
    if (const auto* status = std::get_if<pbft::Status>(&send.message)) {
      return sabotage_.no_status && !status->returning;
    }
    if (std::holds_alternative<pbft::FetchBatches>(send.message) ||
        std::holds_alternative<pbft::FetchCalls>(send.message)) {
      return sabotage_.no_fetch;
    }
    if (std::holds_alternative<pbft::Bundle>(send.message)) {
      return sabotage_.no_forwarding && send.to.size() == 1 && send.to[0] == state().leader;
    }
    return false;
  }

  const Sabotage sabotage_;
  const std::unique_ptr<Engine> engine_;
};

}  // namespace

void sabotage(const Sabotage& sabotage, pbft::Restored& restored) {
  if (sabotage.forget_votes_on_restart) {
    std::erase_if(restored.accepted, [&](const auto& entry) {
      return !restored.prepared.contains(entry.first) && !restored.decided.contains(entry.first);
    });
  }
  if (sabotage.forget_view_on_restart && !restored.active) {
    --restored.view;
    restored.active = true;
    restored.view_change.reset();
  }
  if (sabotage.forget_view_change_on_restart) restored.view_change.reset();
  if (sabotage.vote_after_amnesia) restored.lost_vote.reset();
}

std::unique_ptr<Engine> make_sabotaged(const Sabotage& sabotage, std::unique_ptr<Engine> engine) {
  return std::make_unique<Saboteur>(sabotage, std::move(engine));
}

}  // namespace zap::simulation
