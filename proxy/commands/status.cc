#include "proxy/commands/status.h"

#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "proxy/commands/admin_client.h"

namespace zap::commands {
namespace {

using nlohmann::json;

/// What the three share: ask one path of the admin address, print the answer.
class AdminQuestion : public Command {
 public:
  AdminQuestion(const char* name, const char* help, const char* path)
      : name_(name), help_(help), path_(path) {}

  std::string_view name() const override { return name_; }
  std::string_view help() const override { return help_; }
  void declare(Flags& flags) override {
    flags.text("--admin", admin_, "the node's admin address");
    flags.yes("--json", json_, "print the answer as JSON");
  }

  Exit run(const std::vector<std::string>&) override {
    const auto answer = ask_admin(admin_, path_);
    if (!answer) {
      std::cerr << "zap-sidecar " << name_ << ": " << answer.error().message << "\n";
      return answer.error().code == ErrorCode::kInvalid ? kUsage : kUnreachable;
    }
    return print(*answer, json_);
  }

 private:
  virtual Exit print(const AdminAnswer& answer, bool as_json) const = 0;

  const char* name_;
  const char* help_;
  const char* path_;
  std::string admin_ = "127.0.0.1:9901";
  bool json_ = false;
};

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "unknown";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

/// The JSON object of an answer; nothing, said on standard error, when it is none.
json parse(const AdminAnswer& answer) {
  json object = json::parse(answer.body, nullptr, false);
  if (answer.status == 200 && object.is_object()) return object;
  std::cerr << "the admin address answered " << answer.status << ": " << answer.body << "\n";
  return nullptr;
}

class Status : public AdminQuestion {
 public:
  Status() : AdminQuestion("status", "Show what a node and its peers are doing", "/status") {}

 private:
  Exit print(const AdminAnswer& answer, bool as_json) const override {
    const json status = parse(answer);
    if (status.is_null()) return kFailed;
    if (as_json) {
      std::cout << status.dump() << "\n";
      return kDone;
    }
    for (const char* key : {"node_id", "state", "leader", "term", "commit_index", "applied_index",
                            "protocol", "cluster"}) {
      std::cout << std::left << std::setw(14) << key << " " << text_of(status, key) << "\n";
    }
    std::cout << std::setw(14) << "app"
              << " " << text_of(status.value("app", json::object()), "state") << "\n";
    for (const json& alarm : status.value("alarms", json::array())) {
      std::cout << std::setw(14) << "alarm"
                << " " << alarm.get<std::string>() << "\n";
    }
    std::cout << "\n";
    for (const json& node : status.value("nodes", json::array())) {
      std::cout << std::setw(14) << text_of(node, "id") << " " << std::setw(22)
                << text_of(node, "address") << " " << std::setw(12) << text_of(node, "state") << " "
                << text_of(node, "commit_index") << "\n";
    }
    return kDone;
  }
};

class Health : public AdminQuestion {
 public:
  Health() : AdminQuestion("health", "Say whether a node is ready, or why it is not", "/readyz") {}

 private:
  Exit print(const AdminAnswer& answer, bool as_json) const override {
    const bool ready = answer.status == 200;
    if (as_json) {
      const json body = json::parse(answer.body, nullptr, false);
      std::cout << json{{"ready", ready},
                        {"details", body.is_discarded() ? json(answer.body) : body}}
                       .dump()
                << "\n";
    } else {
      print_reasons(ready, json::parse(answer.body, nullptr, false));
    }
    return ready ? kDone : kFailed;
  }

  static void print_reasons(bool ready, const json& body) {
    if (ready) {
      std::cout << "ready\n";
    } else if (!body.is_object() || !body.contains("reasons")) {
      std::cout << "not ready: that is not the admin address of a node\n";
    } else {
      std::cout << "not ready:\n";
      for (const json& reason : body["reasons"])
        std::cout << "- " << reason.get<std::string>() << "\n";
    }
  }
};

class LeaderShow : public AdminQuestion {
 public:
  LeaderShow() : AdminQuestion("leader show", "Name the leader, and its term", "/status") {}

 private:
  Exit print(const AdminAnswer& answer, bool as_json) const override {
    const json status = parse(answer);
    if (status.is_null()) return kFailed;
    if (as_json) {
      std::cout << json{{"leader", status.value("leader", json())},
                        {"term", status.value("term", json())}}
                       .dump()
                << "\n";
    } else {
      std::cout << text_of(status, "leader") << ", term " << text_of(status, "term") << "\n";
    }
    return kDone;
  }
};

}  // namespace

std::unique_ptr<Command> make_status() { return std::make_unique<Status>(); }
std::unique_ptr<Command> make_health() { return std::make_unique<Health>(); }
std::unique_ptr<Command> make_leader_show() { return std::make_unique<LeaderShow>(); }

}  // namespace zap::commands
