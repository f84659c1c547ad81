#include "config/methods.h"

#include <map>
#include <utility>

#include "config/pattern.h"

namespace zap::config {
namespace {

/// A tree over segments. Each node stands at one depth, so a search looks at each at most once.
struct Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> name;    ///< below {name}
  const Method* here = nullptr;  ///< the path may end here
  const Method* rest = nullptr;  ///< ** from here on

  void insert(const Pattern& pattern, const Method* method) {
    Node* node = this;
    for (const Segment& segment : pattern.path) {
      if (segment.kind == Segment::Kind::kRest) {
        node->rest = method;
        return;
      }
      std::unique_ptr<Node>& child =
          segment.kind == Segment::Kind::kName ? node->name : node->literals[segment.text];
      if (!child) child = std::make_unique<Node>();
      node = child.get();
    }
    node->here = method;
  }

  /// `path` is what follows this node, from its slash on. Left to right a literal goes before a
  /// name, a name before the rest: as the table is not ambiguous, the first hit is the most
  /// specific one.
  const Method* find(std::string_view path) const {
    if (path.empty()) return here ? here : rest;
    path.remove_prefix(1);
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    const std::string_view after = slash == std::string_view::npos ? "" : path.substr(slash);

    if (const auto child = literals.find(segment); child != literals.end()) {
      if (const Method* method = child->second->find(after)) return method;
    }
    if (name && !segment.empty()) {
      if (const Method* method = name->find(after)) return method;
    }
    return rest;
  }
};

Mode mode_of(Unmatched unmatched, Mode classified) {
  switch (unmatched) {
    case Unmatched::kClassify:
      return classified;
    case Unmatched::kPassthrough:
      return Mode::kPassthrough;
    case Unmatched::kReplicated:
      return Mode::kReplicated;
    case Unmatched::kReject:
      return Mode::kReject;
  }
  return Mode::kReject;
}

bool is_safe(std::string_view http_method) {
  return http_method == "GET" || http_method == "HEAD" || http_method == "OPTIONS";
}

}  // namespace

struct MethodTable::State {
  std::vector<Method> methods;  ///< never changes size: the trees point into it
  Method unmatched_read;
  Method unmatched_write;
  std::map<std::string, Node, std::less<>> http;  ///< by HTTP method
  Node grpc;
  std::map<std::string, const Method*, std::less<>> names;

  void insert(const Pattern& pattern, const Method* method) {
    switch (pattern.kind) {
      case Pattern::Kind::kHttp:
        http[pattern.method].insert(pattern, method);
        break;
      case Pattern::Kind::kGrpc:
        grpc.insert(pattern, method);
        break;
      case Pattern::Kind::kName:
        names[pattern.path[0].text] = method;
        break;
    }
  }
};

MethodTable::MethodTable(std::unique_ptr<State> state) : state_(std::move(state)) {}
MethodTable::MethodTable(MethodTable&&) noexcept = default;
MethodTable& MethodTable::operator=(MethodTable&&) noexcept = default;
MethodTable::~MethodTable() = default;

Result<MethodTable> MethodTable::make(std::vector<Method> methods, Unmatched unmatched,
                                      Mode read_strategy) {
  auto state = std::make_unique<State>();
  state->methods = std::move(methods);
  state->unmatched_read = {.match = "unmatched", .mode = mode_of(unmatched, read_strategy)};
  state->unmatched_write = {.match = "unmatched", .mode = mode_of(unmatched, Mode::kReplicated)};

  std::vector<Pattern> patterns;
  for (const Method& method : state->methods) {
    auto pattern = parse_pattern(method.match);
    if (!pattern) return pattern.error();
    for (std::size_t other = 0; other < patterns.size(); ++other) {
      const Overlap both = overlap(patterns[other], *pattern);
      if (both == Overlap::kEqual || both == Overlap::kAmbiguous) {
        return Error{ErrorCode::kInvalid, "'" + method.match + "' and '" +
                                              state->methods[other].match +
                                              "' match the same calls, neither more specifically"};
      }
    }
    state->insert(*pattern, &method);
    patterns.push_back(std::move(*pattern));
  }
  return MethodTable(std::move(state));
}

const Method* MethodTable::resolve(std::string_view method, std::string_view path) const {
  const auto tree = state_->http.find(method);
  if (tree != state_->http.end() && !path.empty() && path[0] == '/') {
    if (const Method* found = tree->second.find(path)) return found;
  }
  return is_safe(method) ? &state_->unmatched_read : &state_->unmatched_write;
}

const Method* MethodTable::resolve_grpc(std::string_view path) const {
  const bool is_path = !path.empty() && path[0] == '/';
  const Method* found = is_path ? state_->grpc.find(path) : nullptr;
  return found ? found : &state_->unmatched_write;
}

const Method* MethodTable::resolve_name(std::string_view name) const {
  const auto found = state_->names.find(name);
  return found != state_->names.end() ? found->second : &state_->unmatched_write;
}

}  // namespace zap::config
