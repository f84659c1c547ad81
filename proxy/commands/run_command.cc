#include "proxy/commands/run_command.h"

#include <iostream>

#include "proxy/commands/runnable.h"
#include "proxy/run.h"
#include "store/vote_mark.h"

namespace zap::commands {
namespace {

AppIs app_is_named(const std::string& name) {
  if (name == "empty") return AppIs::kEmpty;
  return name == "kept" ? AppIs::kKept : AppIs::kUnsaid;
}

class Run : public Command {
 public:
  std::string_view name() const override { return "run"; }
  std::string_view help() const override {
    return "Run the sidecar in the foreground; after -- the application's command, if it is to be "
           "started too";
  }

  void declare(Flags& flags) override {
    flags.required_text("--config", file_, "the node's configuration file");
    flags.choice("--app-is", app_is_, {"empty", "kept"},
                 "what the application still has, where the sidecar cannot know");
    flags.yes(
        "--new", new_,
        "this node has never run: lay down its vote mark, where init could not reach its wal");
  }

  bool takes_child() const override { return true; }

  Exit run(const std::vector<std::string>& child) override {
    const auto loaded = load_runnable(file_);
    if (!loaded) {
      std::cerr << loaded.error().message << "\n";
      return kUsage;
    }
    if (new_) {
      const auto marked = store::create_zero_mark(loaded->wal.path, loaded->cluster);
      if (!marked) {
        std::cerr << "zap-sidecar run --new: " << marked.error().message << "\n";
        return kFailed;
      }
    }
    return static_cast<Exit>(
        run_sidecar(*loaded, {.command = child, .app_is = app_is_named(app_is_)}));
  }

 private:
  std::string file_;
  std::string app_is_;
  bool new_ = false;
};

}  // namespace

std::unique_ptr<Command> make_run() { return std::make_unique<Run>(); }

}  // namespace zap::commands
