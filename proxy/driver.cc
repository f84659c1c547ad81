#include "proxy/driver.h"

#include <algorithm>
#include <utility>

namespace zap {

Driver::Driver(NodeId self, Engine& engine, DriverPorts& ports, LogPosition appended)
    : self_(self), engine_(engine), ports_(ports), appended_(appended) {}

void Driver::step(Input input) {
  inbox_.push_back(std::move(input));
  drain();
}

void Driver::log_is_durable(LogPosition position) {
  durable_ = std::max(durable_, position);
  while (!held_.empty() && held_.front().until <= durable_) {
    std::vector<Send> sends = std::move(held_.front().sends);
    held_.pop_front();
    release(std::move(sends));
  }
  drain();
}

void Driver::drain() {
  if (draining_) return;
  draining_ = true;
  while (!inbox_.empty()) {
    const Input input = std::move(inbox_.front());
    inbox_.pop_front();
    carry_out(engine_.step(ports_.now(), input));
  }
  draining_ = false;
}

void Driver::carry_out(Outputs outputs) {
  appended_ += outputs.write.size();
  if (!outputs.write.empty()) ports_.append_to_log(std::move(outputs.write));

  release(std::move(outputs.at_once));

  if (!outputs.after_write.empty()) {
    if (appended_ <= durable_) {
      release(std::move(outputs.after_write));
    } else {
      held_.push_back({appended_, std::move(outputs.after_write)});
      ports_.sync_log();
    }
  }

  for (const Serve& request : outputs.serve) ports_.serve_from_log(request);
  for (const Decision& decision : outputs.decided) ports_.decided(decision);
  for (const Notice& notice : outputs.notices) ports_.notice(notice);
  ports_.wake_at(outputs.wake_at);
}

void Driver::release(std::vector<Send> sends) {
  for (Send& send : sends) {
    ports_.sign(send.message);
    const MessagePtr message = std::make_shared<const Message>(std::move(send.message));
    for (const NodeId node : send.to) {
      if (node == self_) {
        inbox_.push_back(Receive{self_, message});
      } else {
        ports_.send(node, message);
      }
    }
  }
}

}  // namespace zap
