// proxy/answers/comparisons.h - how answers to each method are compared between nodes, by listener
// and by entry of the methods table: the configuration's `compare` and `ignore`.
//
// Immutable once made; any thread may read.

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "config/config.h"
#include "core/digest.h"
#include "core/operation.h"

namespace zap {

class Comparisons {
 public:
  explicit Comparisons(const std::vector<config::Listener>& listeners);

  /// Compared in full where the table has no such entry. Valid as long as this object.
  const Comparison& of(std::string_view listener, std::string_view method) const;
  const Comparison& of(const Operation& operation) const {
    return of(operation.listener, operation.method);
  }

  /// Covers all of it: must be equal on all nodes.
  Digest digest() const;

 private:
  using ByMethod = std::map<std::string, Comparison, std::less<>>;
  std::map<std::string, ByMethod, std::less<>> by_listener_;
  Comparison full_;
};

}  // namespace zap
