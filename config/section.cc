#include "config/section.h"

#include <algorithm>
#include <charconv>

#include "config/units.h"

namespace zap::config {
namespace {

std::string joined(const std::vector<std::string_view>& names, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? std::string(last) : ", ";
    text += names[i];
  }
  return text;
}

/// The likeliest of `names` for a mistyped one; nothing where none is near.
std::optional<std::string> nearest(const std::string& typed,
                                   const std::vector<std::string>& names) {
  std::optional<std::string> best;
  std::size_t best_distance =
      std::min(typed.size(), std::max<std::size_t>(2, typed.size() / 3) + 1);
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(typed, name);
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

const char* kind_of(const YAML::Node& node) {
  if (node.IsMap()) return "a map";
  if (node.IsSequence()) return "a list";
  return node.IsScalar() ? "a single value" : "empty";
}

}  // namespace

Position position_of(const YAML::Node& node) {
  const YAML::Mark mark = node.Mark();
  return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1};
}

void Problems::add(Position where, std::string_view what, std::string_view right) {
  problems_.emplace_back(where, std::string(what) + "; " + std::string(right));
}

std::string Problems::print(const std::string& file) const {
  auto sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.line, a.first.column) < std::pair(b.first.line, b.first.column);
  });
  std::string text;
  for (const auto& [where, what] : sorted) {
    if (!text.empty()) text += '\n';
    text +=
        file + ":" + std::to_string(where.line) + ":" + std::to_string(where.column) + ": " + what;
  }
  return text;
}

Section::Section(const YAML::Node& map, std::string name, Problems& problems)
    : name_(std::move(name)), problems_(problems), begin_(position_of(map)) {
  for (const auto& item : map) {
    const Position position = position_of(item.first);
    if (!item.first.IsScalar()) {
      problems_.add(position, "a key is " + std::string(kind_of(item.first)),
                    "a key is a single word");
      continue;
    }
    Entry entry{item.first.Scalar(), position, item.second};
    if (const Entry* first = find(entry.key.c_str())) {
      problems_.add(position,
                    full_name(entry.key) + " is given twice, first in line " +
                        std::to_string(first->key_position.line),
                    "keep one of them");
      continue;
    }
    entries_.push_back(std::move(entry));
  }
}

std::string Section::full_name(std::string_view key) const {
  return name_.empty() ? std::string(key) : name_ + "." + std::string(key);
}

const Section::Entry* Section::find(const char* key) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [key](const Entry& entry) { return entry.key == key; });
  return found == entries_.end() ? nullptr : &*found;
}

bool Section::has(const char* key) const { return find(key) != nullptr; }

Position Section::where(const char* key) const {
  const Entry* entry = find(key);
  if (!entry) return begin_;
  return entry->value.Mark().is_null() ? entry->key_position : position_of(entry->value);
}

bool Section::is_map(const char* key) const {
  const Entry* entry = find(key);
  return entry && entry->value.IsMap();
}

const Section::Entry* Section::ask(const char* key, Presence presence) {
  asked_.emplace_back(key);
  const Entry* entry = find(key);
  if (!entry && presence == Presence::kRequired) {
    problems_.add(begin_, full_name(key) + " is missing", "it must be given");
  }
  return entry;
}

void Section::wrong(const char* key, std::string_view value, std::string_view right) {
  problems_.add(where(key), full_name(key) + " is '" + std::string(value) + "'", right);
}

std::optional<std::string> Section::scalar(const char* key, Presence presence) {
  const Entry* entry = ask(key, presence);
  if (!entry) return std::nullopt;
  if (!entry->value.IsScalar() || entry->value.Scalar().empty()) {
    problems_.add(
        where(key),
        full_name(key) + " is " + (entry->value.IsScalar() ? "empty" : kind_of(entry->value)),
        "a single value belongs here");
    return std::nullopt;
  }
  return entry->value.Scalar();
}

bool Section::text(const char* key, std::string& out, Presence presence) {
  auto value = scalar(key, presence);
  if (value) out = std::move(*value);
  return value.has_value();
}

bool Section::duration(const char* key, Duration& out, Duration least, Duration most) {
  const auto value = scalar(key, Presence::kOptional);
  if (!value) return false;
  const auto parsed = parse_duration(*value);
  if (!parsed) {
    wrong(key, *value, parsed.error().message);
  } else if (*parsed < least || *parsed > most) {
    wrong(key, *value, "from " + print_duration(least) + " to " + print_duration(most));
  } else {
    out = *parsed;
    return true;
  }
  return false;
}

bool Section::bytes(const char* key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
  const auto value = scalar(key, Presence::kOptional);
  if (!value) return false;
  const auto parsed = parse_bytes(*value);
  if (!parsed) {
    wrong(key, *value, parsed.error().message);
  } else if (*parsed < least || *parsed > most) {
    wrong(key, *value, "from " + print_bytes(least) + " to " + print_bytes(most));
  } else {
    out = *parsed;
    return true;
  }
  return false;
}

bool Section::number(const char* key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
  const auto value = scalar(key, Presence::kOptional);
  if (!value) return false;
  std::uint64_t parsed = 0;
  const char* const last = value->data() + value->size();
  const auto [end, error] = std::from_chars(value->data(), last, parsed);
  if (error != std::errc() || end != last || parsed < least || parsed > most) {
    wrong(key, *value,
          "write a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return false;
  }
  out = parsed;
  return true;
}

bool Section::address(const char* key, Address& out, Presence presence) {
  const auto value = scalar(key, presence);
  if (!value) return false;
  auto parsed = parse_address(*value);
  if (!parsed) {
    const std::string& message = parsed.error().message;
    const std::size_t semicolon = message.rfind("; ");
    problems_.add(where(key), full_name(key) + ": " + message.substr(0, semicolon),
                  message.substr(semicolon + 2));
    return false;
  }
  out = std::move(*parsed);
  return true;
}

std::optional<std::size_t> Section::choose(const char* key,
                                           const std::vector<std::string_view>& names,
                                           Presence presence) {
  const auto value = scalar(key, presence);
  if (!value) return std::nullopt;
  const auto found = std::find(names.begin(), names.end(), *value);
  if (found == names.end()) {
    wrong(key, *value, "write " + joined(names, " or "));
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - names.begin());
}

bool Section::section(const char* key, const std::function<void(Section&)>& read,
                      Presence presence) {
  const Entry* entry = ask(key, presence);
  if (!entry) return false;
  if (!entry->value.IsMap()) {
    problems_.add(where(key), full_name(key) + " is " + kind_of(entry->value),
                  "a map of keys belongs here");
    return false;
  }
  Section below(entry->value, full_name(key), problems_);
  read(below);
  below.finish();
  return true;
}

std::size_t Section::sections(const char* key, const std::function<void(Section&)>& read,
                              Presence presence) {
  const Entry* entry = ask(key, presence);
  if (!entry) return 0;
  if (!entry->value.IsSequence()) {
    problems_.add(where(key), full_name(key) + " is " + kind_of(entry->value),
                  "a list of maps belongs here");
    return 0;
  }
  std::size_t count = 0;
  for (const YAML::Node& item : entry->value) {
    const std::string name = full_name(key) + "[" + std::to_string(count++) + "]";
    if (!item.IsMap()) {
      problems_.add(position_of(item), name + " is " + kind_of(item), "a map of keys belongs here");
      continue;
    }
    Section below(item, name, problems_);
    read(below);
    below.finish();
  }
  return count;
}

bool Section::texts(const char* key, std::vector<std::string>& out) {
  const Entry* entry = ask(key, Presence::kOptional);
  if (!entry) return false;
  const bool scalars = entry->value.IsSequence() &&
                       std::all_of(entry->value.begin(), entry->value.end(),
                                   [](const YAML::Node& item) { return item.IsScalar(); });
  if (!scalars) {
    problems_.add(where(key), full_name(key) + " is not a list of single values",
                  "write [first, second]");
    return false;
  }
  for (const YAML::Node& item : entry->value) out.push_back(item.Scalar());
  return true;
}

void Section::finish() {
  for (const Entry& entry : entries_) {
    if (std::find(asked_.begin(), asked_.end(), entry.key) != asked_.end()) continue;
    const auto near = nearest(entry.key, asked_);
    problems_.add(entry.key_position, "unknown key '" + full_name(entry.key) + "'",
                  near ? "the nearest known key is '" + *near + "'"
                       : "known here: " + joined({asked_.begin(), asked_.end()}, ", "));
  }
}

}  // namespace zap::config
