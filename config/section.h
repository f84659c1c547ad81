// config/section.h - one map of a YAML file, read key by key, every problem noted and none fatal.
//
// A Section knows which keys were asked for: finish() reports all others, with the nearest known
// one. A getter leaves its target alone where the key is absent or wrong, so that reading always
// goes on to the end of the file. yaml-cpp stays behind this door and load.cc.

#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/address.h"
#include "core/result.h"
#include "core/time.h"

namespace zap::config {

/// A place in the file, both from 1.
struct Position {
  int line = 1;
  int column = 1;
};
Position position_of(const YAML::Node& node);

class Problems {
 public:
  /// `what` is wrong at `where`; `right` says what would be right.
  void add(Position where, std::string_view what, std::string_view right);
  bool empty() const { return problems_.empty(); }
  /// One line each, in the file's order: "file:line:column: what is wrong; what would be right".
  std::string print(const std::string& file) const;

 private:
  std::vector<std::pair<Position, std::string>> problems_;
};

enum class Presence { kRequired, kOptional };

class Section {
 public:
  /// `name` is the way to this map, such as "consensus" or "listeners[0].app"; empty at the top.
  Section(const YAML::Node& map, std::string name, Problems& problems);
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  bool has(const char* key) const;
  /// Where the key's value stands; where the map begins without one.
  Position where(const char* key) const;
  Position where() const { return begin_; }
  /// "consensus.batch_size"
  std::string full_name(std::string_view key) const;
  Problems& problems() { return problems_; }

  // Each answers whether `out` was set.
  bool text(const char* key, std::string& out, Presence presence = Presence::kOptional);
  bool duration(const char* key, Duration& out, Duration least, Duration most);
  bool bytes(const char* key, std::uint64_t& out, std::uint64_t least, std::uint64_t most);
  bool number(const char* key, std::uint64_t& out, std::uint64_t least, std::uint64_t most);
  bool address(const char* key, Address& out, Presence presence = Presence::kOptional);

  template <typename Enum>
  bool choice(const char* key, Enum& out,
              const std::vector<std::pair<std::string_view, Enum>>& choices,
              Presence presence = Presence::kOptional) {
    std::vector<std::string_view> names;
    names.reserve(choices.size());
    for (const auto& choice : choices) names.push_back(choice.first);
    const std::optional<std::size_t> chosen = choose(key, names, presence);
    if (chosen) out = choices[*chosen].second;
    return chosen.has_value();
  }

  /// Reads the map below `key`, then reports its unknown keys. Not called without one.
  bool section(const char* key, const std::function<void(Section&)>& read,
               Presence presence = Presence::kOptional);
  /// The same for each map of a list; answers how many there are.
  std::size_t sections(const char* key, const std::function<void(Section&)>& read,
                       Presence presence = Presence::kOptional);
  /// A list of scalars.
  bool texts(const char* key, std::vector<std::string>& out);
  /// Whether the value is a map (and not a scalar), where both are allowed.
  bool is_map(const char* key) const;

  void finish();

 private:
  struct Entry {
    std::string key;
    Position key_position;
    YAML::Node value;
  };

  const Entry* find(const char* key) const;
  const Entry* ask(const char* key, Presence presence);
  std::optional<std::string> scalar(const char* key, Presence presence);
  std::optional<std::size_t> choose(const char* key, const std::vector<std::string_view>& names,
                                    Presence presence);
  void wrong(const char* key, std::string_view value, std::string_view right);

  std::string name_;
  Problems& problems_;
  Position begin_;
  std::vector<Entry> entries_;
  std::vector<std::string> asked_;
};

}  // namespace zap::config
