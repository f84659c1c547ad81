// The zap-sidecar binary: picks the subcommand. The only file that knows CLI11.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "proxy/commands/bench.h"
#include "proxy/commands/check.h"
#include "proxy/commands/init.h"
#include "proxy/commands/run_command.h"
#include "proxy/commands/status.h"

namespace zap::commands {
namespace {

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_init());
  commands.push_back(make_run());
  commands.push_back(make_check());
  commands.push_back(make_status());
  commands.push_back(make_health());
  commands.push_back(make_leader_show());
  commands.push_back(make_bench());
  return commands;
}

class CliFlags : public Flags {
 public:
  explicit CliFlags(CLI::App& app) : app_(app) {}

  void text(const char* flag, std::string& target, const char* help) override {
    app_.add_option(flag, target, help)->capture_default_str();
  }
  void required_text(const char* flag, std::string& target, const char* help) override {
    app_.add_option(flag, target, help)->required();
  }
  void texts(const char* flag, std::vector<std::string>& target, const char* help) override {
    app_.add_option(flag, target, help)->allow_extra_args(false);
  }
  void choice(const char* flag, std::string& target, std::vector<std::string> choices,
              const char* help) override {
    app_.add_option(flag, target, help)->check(CLI::IsMember(choices))->capture_default_str();
  }
  void number(const char* flag, std::uint64_t& target, std::uint64_t least, std::uint64_t most,
              const char* help) override {
    CLI::Option* option = app_.add_option(flag, target, help)->check(CLI::Range(least, most));
    if (target >= least) option->capture_default_str();
  }
  void yes(const char* flag, bool& target, const char* help) override {
    app_.add_flag(flag, target, help);
  }

 private:
  CLI::App& app_;
};

CLI::App* find_or_add_group(CLI::App& top, const std::string& name) {
  const auto found =
      top.get_subcommands([&](CLI::App* group) { return group->get_name() == name; });
  if (!found.empty()) return found[0];
  CLI::App* group = top.add_subcommand(name, "Commands about the " + name);
  group->require_subcommand(1);
  return group;
}

/// The subcommand for "status", or for "show" within the group "leader".
CLI::App* add_subcommand(CLI::App& top, const Command& command) {
  const std::string name(command.name());
  const std::string help(command.help());
  const std::size_t space = name.find(' ');
  if (space == std::string::npos) return top.add_subcommand(name, help);
  return find_or_add_group(top, name.substr(0, space))
      ->add_subcommand(name.substr(space + 1), help);
}

/// The first word of what looks like the command of `run`, where -- is missing before it.
std::string child_without_dashes(const CLI::App& top, const CLI::ParseError& error) {
  const bool extras = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  if (!extras || !top.get_subcommand("run")->parsed()) return {};
  const std::string word = top.remaining(true).front();
  return word[0] == '-' ? "" : word;
}

int main(int argc, char** argv) {
  // CLI11 would take what follows `--` for arguments of ours.
  char** const dashes = std::find_if(
      argv, argv + argc, [](const char* argument) { return std::string_view(argument) == "--"; });
  const std::vector<std::string> child(std::min(dashes + 1, argv + argc), argv + argc);

  CLI::App top(
      "Runs beside an application and replicates its calls: PBFT for services that do not "
      "know it",
      "zap-sidecar");
  top.set_version_flag("--version", ZAP_VERSION);
  top.require_subcommand(1);
  const auto commands = all_commands();
  Command* chosen = nullptr;
  for (const auto& command : commands) {
    CLI::App* subcommand = add_subcommand(top, *command);
    CliFlags flags(*subcommand);
    command->declare(flags);
    subcommand->callback([&chosen, target = command.get()] { chosen = target; });
  }

  try {
    top.parse(static_cast<int>(dashes - argv), argv);
  } catch (const CLI::ParseError& error) {
    const int status = top.exit(error);  // --help and --version come this way too
    if (status != 0 && argc > 1 && top.get_subcommands().empty() && argv[1][0] != '-') {
      std::cerr << "zap-sidecar has no command '" << argv[1] << "'\n";
    }
    if (const std::string word = child_without_dashes(top, error); !word.empty()) {
      std::cerr << "put -- before the command to be started: zap-sidecar run ... -- " << word
                << " ...\n";
    }
    return status == 0 ? kDone : kUsage;
  }
  if (dashes != argv + argc && !chosen->takes_child()) {
    std::cerr << "zap-sidecar " << chosen->name() << " starts no command; nothing may follow --\n";
    return kUsage;
  }
  return chosen->run(child);
}

}  // namespace
}  // namespace zap::commands

int main(int argc, char** argv) { return zap::commands::main(argc, argv); }
