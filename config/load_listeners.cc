// The listeners: where clients connect, which application stands behind, what each call is.

#include <algorithm>
#include <optional>

#include "config/load_parts.h"
#include "config/pattern.h"

namespace zap::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

const std::vector<std::pair<std::string_view, ListenerProtocol>> kProtocols = {
    {"http", ListenerProtocol::kHttp},
    {"redis", ListenerProtocol::kRedis},
    {"capnp", ListenerProtocol::kCapnp},
    {"callback", ListenerProtocol::kCallback}};

/// "GET /path"; a local command too where `command` allows it, known by its first character.
bool is_call(const std::string& text, bool command) {
  if (command && (text.front() == '/' || text.substr(0, 2) == "./")) return true;
  const auto pattern = parse_pattern(text);
  return pattern && pattern->kind == Pattern::Kind::kHttp;
}

std::optional<std::string> load_call(Section& section, const char* key, bool command,
                                     Presence presence) {
  std::string text;
  if (!section.text(key, text, presence)) return std::nullopt;
  if (is_call(text, command)) return text;
  section.problems().add(
      section.where(key), section.full_name(key) + " is '" + text + "'",
      command ? std::string("write METHOD /path, or the absolute path of a local command")
              : "write METHOD /path, as in \"GET /_zap/" +
                    std::string(key == std::string_view("instance") ? "instance\"" : "applied\""));
  return std::nullopt;
}

void load_state(Section& section, AppState& state) {
  if (!section.has("state")) {
    section.problems().add(section.where(), section.full_name("state") + " is missing",
                           "write state: memory (a restart of the application leaves it empty) or "
                           "state: durable (it keeps its state)");
  }
  section.choice<AppState>("state", state,
                           {{"memory", AppState::kMemory}, {"durable", AppState::kDurable}});
}

void load_app(Section& section, Config& config, Claims& claims, Listener& listener) {
  App& app = listener.app;
  Problems& problems = section.problems();
  if (section.address("address", app.address, Presence::kRequired)) {
    claims.connect(app.address, section.full_name("address"), section.where("address"));
  }
  load_state(section, app.state);

  app.protocol = listener.protocol;
  section.choice<ListenerProtocol>("protocol", app.protocol, kProtocols);
  if (app.protocol != listener.protocol && app.protocol != ListenerProtocol::kCallback) {
    problems.add(section.where("protocol"),
                 section.full_name("protocol") + " is neither the listener's nor callback",
                 "leave it out, or write callback");
  }
  std::uint64_t connections = app.connections;
  section.number("connections", connections, 1, 1024);
  app.connections = static_cast<std::uint32_t>(connections);

  app.instance = load_call(section, "instance", false, Presence::kOptional);
  app.applied_index = load_call(section, "applied_index", false, Presence::kOptional);
  section.section("snapshot", [&](Section& snapshot) {
    const auto save = load_call(snapshot, "save", true, Presence::kRequired);
    const auto restore = load_call(snapshot, "restore", true, Presence::kRequired);
    if (save && restore) app.snapshot = AppSnapshot{*save, *restore};
  });
  Path schema;
  if (!read_path(section, "schema", config, schema)) return;
  if (listener.protocol != ListenerProtocol::kCapnp) {
    problems.add(section.where("schema"), section.full_name("schema") + " is given",
                 "only a listener with protocol: capnp has one");
  } else if (!std::filesystem::is_regular_file(schema)) {
    problems.add(section.where("schema"), "there is no file " + schema.string(),
                 "the application's .capnp file");
  }
  app.schema = schema;
}

/// Patterns of one listener's methods so far, with the line of each.
struct Patterns {
  std::vector<std::pair<Pattern, int>> known;
  std::vector<std::string> texts;

  void add(Section& section, const std::string& text, Pattern pattern) {
    const Position where = section.where("match");
    for (std::size_t i = 0; i < known.size(); ++i) {
      const Overlap both = overlap(known[i].first, pattern);
      if (both != Overlap::kEqual && both != Overlap::kAmbiguous) continue;
      section.problems().add(where,
                             "'" + text + "' and '" + texts[i] + "' (line " +
                                 std::to_string(known[i].second) +
                                 ") match the same calls, neither more specifically",
                             both == Overlap::kEqual ? "keep one of them" : "narrow one of them");
      return;
    }
    known.emplace_back(std::move(pattern), where.line);
    texts.push_back(text);
  }
};

const char* pattern_form(ListenerProtocol protocol) {
  switch (protocol) {
    case ListenerProtocol::kHttp:
      return "write \"METHOD /path\", or \"/package.Service/Method\" for gRPC";
    case ListenerProtocol::kRedis:
      return "write a command, as in SET";
    case ListenerProtocol::kCapnp:
      return "write \"@0xINTERFACE/METHOD\", or \"Interface.method\" with app.schema";
    case ListenerProtocol::kCallback:
      return "write the method's name";
  }
  return "";
}

void load_match(Section& section, const Listener& listener, Patterns& patterns, Method& method) {
  if (!section.text("match", method.match, Presence::kRequired)) return;
  Problems& problems = section.problems();
  const Position where = section.where("match");
  if (listener.protocol == ListenerProtocol::kRedis) {
    std::transform(method.match.begin(), method.match.end(), method.match.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  }
  auto pattern = parse_pattern(method.match);
  if (!pattern) {
    const std::string& message = pattern.error().message;
    const std::size_t semicolon = message.rfind("; ");
    problems.add(where, section.full_name("match") + ": " + message.substr(0, semicolon),
                 message.substr(semicolon + 2));
    return;
  }
  const bool by_name = pattern->kind == Pattern::Kind::kName;
  if (by_name == (listener.protocol == ListenerProtocol::kHttp)) {
    problems.add(where, section.full_name("match") + " is '" + method.match + "'",
                 pattern_form(listener.protocol));
    return;
  }
  const bool named = by_name && listener.protocol == ListenerProtocol::kCapnp &&
                     method.match.find('@') == std::string::npos;
  if (named && !listener.app.schema) {
    problems.add(where, "'" + method.match + "' is known by a schema only",
                 "name the schema file in app.schema, or write \"@0xINTERFACE/METHOD\"");
    return;
  }
  patterns.add(section, method.match, std::move(*pattern));
}

void load_method(Section& section, const Config& config, Patterns& patterns, Listener& listener) {
  Method method;
  Problems& problems = section.problems();
  load_match(section, listener, patterns, method);
  section.choice<Mode>("mode", method.mode,
                       {{"replicated", Mode::kReplicated},
                        {"read_only", config.consensus.read_strategy},
                        {"linearizable", Mode::kLinearizable},
                        {"leader", Mode::kLeader},
                        {"local", Mode::kLocal},
                        {"passthrough", Mode::kPassthrough},
                        {"reject", Mode::kReject}},
                       Presence::kRequired);
  Duration duration{};
  if (section.duration("timeout", duration, milliseconds(10), hours(1))) method.timeout = duration;
  if (section.duration("max_staleness", duration, milliseconds(1), hours(24))) {
    method.max_staleness = duration;
    if (method.mode != Mode::kLocal) {
      problems.add(section.where("max_staleness"),
                   section.full_name("max_staleness") + " is given, but the mode is not local",
                   "only a local read can be stale");
    }
  }
  section.choice<Compare>(
      "compare", method.compare,
      {{"full", Compare::kFull}, {"status", Compare::kStatus}, {"none", Compare::kNone}});
  if (section.texts("ignore", method.ignore)) {
    for (const std::string& part : method.ignore) {
      if (part.substr(0, 2) == "$." || part.substr(0, 7) == "header:") continue;
      problems.add(section.where("ignore"), section.full_name("ignore") + " has '" + part + "'",
                   "write \"$.json.path\" or \"header:name\"");
    }
  }
  listener.methods.push_back(std::move(method));
}

/// Listeners of one application say the same about it.
void check_shared_app(const Section& section, const Config& config, const Listener& listener,
                      Problems& problems) {
  for (const Listener& other : config.listeners) {
    if (!(other.app.address == listener.app.address) || listener.app.address == Address{}) continue;
    if (other.app.state == listener.app.state && other.app.protocol == listener.app.protocol) {
      continue;
    }
    problems.add(section.where("app"),
                 section.full_name("app") + " and that of listener '" + other.name +
                     "' are one application, " + to_string(listener.app.address) +
                     ", with another state or protocol",
                 "write the same in both");
  }
}

void load_listener(Section& section, Config& config, Claims& claims) {
  Listener listener;
  Problems& problems = section.problems();
  if (section.text("name", listener.name, Presence::kRequired)) {
    check_name(section, "name", listener.name, problems);
    for (const Listener& other : config.listeners) {
      if (other.name != listener.name) continue;
      problems.add(
          section.where("name"),
          section.full_name("name") + " is '" + listener.name + "', as of a listener before",
          "every listener has its own name");
    }
  }
  if (section.address("address", listener.address, Presence::kRequired)) {
    claims.listen(listener.address, section.full_name("address"), section.where("address"),
                  problems);
  }
  section.choice<ListenerProtocol>("protocol", listener.protocol, kProtocols, Presence::kRequired);
  section.section(
      "app", [&](Section& app) { load_app(app, config, claims, listener); }, Presence::kRequired);
  check_shared_app(section, config, listener, problems);
  section.text("idempotency_header", listener.idempotency_header);
  section.choice<Unmatched>("unmatched", listener.unmatched,
                            {{"classify", Unmatched::kClassify},
                             {"passthrough", Unmatched::kPassthrough},
                             {"replicated", Unmatched::kReplicated},
                             {"reject", Unmatched::kReject}});
  Patterns patterns;
  section.sections("methods",
                   [&](Section& method) { load_method(method, config, patterns, listener); });
  config.listeners.push_back(std::move(listener));
}

}  // namespace

void load_listeners(Section& top, Config& config, Claims& claims) {
  const std::size_t count = top.sections(
      "listeners", [&](Section& section) { load_listener(section, config, claims); },
      Presence::kRequired);
  if (count == 0 && top.has("listeners")) {
    top.problems().add(top.where("listeners"), "listeners has nothing to read",
                       "a sidecar serves one application or more");
  }
}

}  // namespace zap::config
