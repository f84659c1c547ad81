// Runs every story below this folder and compares what the replicas said with what the file says.
//
// A file is a story: commands, a line of dashes, then what came of them. `rewrite=1` in the
// environment (./dev test --rewrite) writes the second part anew; a person reviews the difference.
//
//   cluster n=4 [fixed=2]           replicas 0 to n - 1, cleared to vote
//   submit NODE TEXT                one call
//   deliver [lose KIND FROM TO]...  until nothing is in flight; KIND as printed, FROM and TO a node
//                                   or *
//   pass 500ms [lose ...]...        time goes by
//   stop NODE | start NODE [FORGET] crash, and start again from the log less FORGET records
//   show                            what every replica has
//   # and empty lines are skipped

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/support/describe.h"
#include "tests/support/lockstep.h"

namespace zap::test {

namespace {

struct Loss {
  std::string kind, from, to;

  bool takes(const InFlight& message) const {
    const auto fits = [](const std::string& pattern, NodeId node) {
      return pattern == "*" || pattern == std::to_string(node);
    };
    const std::string text = describe(*message.message);
    return text.substr(0, text.find(' ')) == kind && fits(from, message.from) &&
           fits(to, message.to);
  }
};

class Story {
 public:
  /// What comes of the commands, one line after the other.
  std::string run(std::istream& commands) {
    std::string line;
    while (std::getline(commands, line)) {
      std::istringstream words(line);
      std::string command;
      if (!(words >> command) || command[0] == '#') continue;
      out_ << "> " << line << "\n";
      execute(command, words);
      if (cluster_) print_sent();
    }
    return out_.str();
  }

 private:
  void execute(const std::string& command, std::istringstream& words) {
    if (command == "cluster") {
      start_cluster(words);
    } else if (command == "submit") {
      NodeId node;
      std::string text;
      words >> node >> text;
      cluster_->submit(node, text);
    } else if (command == "deliver") {
      cluster_->deliver(read_losses(words));
    } else if (command == "pass") {
      long milliseconds;
      std::string unit;
      words >> milliseconds >> unit;
      REQUIRE(unit == "ms");
      cluster_->pass(std::chrono::milliseconds(milliseconds), read_losses(words));
    } else if (command == "stop") {
      NodeId node;
      words >> node;
      cluster_->stop(node);
      running_[node] = false;
    } else if (command == "start") {
      NodeId node;
      std::size_t forget = 0;
      words >> node >> forget;
      cluster_->start(node, forget);
      running_[node] = true;
    } else if (command == "show") {
      show();
    } else {
      FAIL("unknown command: " << command);
    }
  }

  void start_cluster(std::istringstream& words) {
    std::uint32_t n = 0;
    pbft::Settings settings;
    for (std::string word; words >> word;) {
      const auto value = [&word] { return std::stoul(word.substr(word.find('=') + 1)); };
      if (word.rfind("n=", 0) == 0) n = value();
      if (word.rfind("fixed=", 0) == 0) settings.fixed_leader = value();
    }
    cluster_ = std::make_unique<Lockstep>(n, settings);
    running_.assign(n, true);
  }

  Filter read_losses(std::istringstream& words) {
    std::vector<Loss> losses;
    std::string word;
    while (words >> word) {
      REQUIRE(word == "lose");
      Loss loss;
      words >> loss.kind >> loss.from >> loss.to;
      losses.push_back(loss);
    }
    return [losses](const InFlight& message) {
      return std::any_of(losses.begin(), losses.end(),
                         [&](const Loss& loss) { return loss.takes(message); });
    };
  }

  /// Equal messages of one sender in one line; the chatter of the status exchange left out.
  void print_sent() {
    std::vector<std::pair<std::string, std::string>> lines;  // "0>1,2" and the message
    for (const std::string& sent : cluster_->sent()) {
      const std::string from = sent.substr(0, sent.find('>'));
      const std::string to = sent.substr(from.size() + 1, sent.find(' ') - from.size() - 1);
      const std::string text = sent.substr(sent.find(' ') + 1);
      if (text.rfind("STATUS", 0) == 0) continue;
      const auto same = std::find_if(lines.begin(), lines.end(), [&](const auto& line) {
        return line.second == text && line.first.rfind(from + ">", 0) == 0;
      });
      if (same == lines.end()) {
        lines.emplace_back(from + ">" + to, text);
      } else if (same->first.find(to, from.size()) == std::string::npos) {
        same->first += "," + to;
      }
    }
    for (const auto& [who, text] : lines) out_ << who << " " << text << "\n";
  }

  void show() {
    for (NodeId node = 0; node < running_.size(); ++node) {
      if (!running_[node]) {
        out_ << node << ": stopped\n";
        continue;
      }
      const EngineState state = cluster_->state(node);
      out_ << node << ": view " << state.view << (state.leader ? "" : " (changing)") << ", decided "
           << state.decided << ", applied " << cluster_->applied(node) << "\n";
    }
  }

  std::ostringstream out_;
  std::unique_ptr<Lockstep> cluster_;
  std::vector<bool> running_;
};

const std::string kDashes = "----\n";

}  // namespace

TEST_CASE("stories") {
  const auto folder = std::filesystem::path(__FILE__).parent_path();
  std::size_t stories = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".txt") continue;
    ++stories;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t dashes = text.find(kDashes);
    const std::string told = text.substr(0, dashes);
    std::istringstream commands(told);
    const std::string happened = Story().run(commands);
    if (std::getenv("rewrite")) {
      std::ofstream(entry.path()) << told << kDashes << happened;
      continue;
    }
    INFO(entry.path());
    REQUIRE(dashes != std::string::npos);
    CHECK(text.substr(dashes + kDashes.size()) == happened);
  }
  CHECK(stories > 0);
}

}  // namespace zap::test
