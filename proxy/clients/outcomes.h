// proxy/clients/outcomes.h - what became of recent calls, of every origin: what /op/{id} answers.
//
// A ring of fixed size for each origin, indexed by the call's number: remembering costs no
// allocation, and what is too old makes room for what is new.
//
// Threads: lives on the main loop.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/ids.h"
#include "core/operation.h"

namespace zap {

class Outcomes {
 public:
  struct Known {
    Outcome outcome = Outcome::kVoid;
    Index index = 0;  ///< of an applied call
  };

  explicit Outcomes(std::size_t remembered_of_each_origin)
      : ring_size_(remembered_of_each_origin) {}

  void add(const Decision& decision);
  /// Nothing where the call was not decided here, or too long ago.
  std::optional<Known> find(const OperationId& id) const;

 private:
  struct Slot {
    Incarnation incarnation = 0;
    std::uint64_t number = 0;
    Known known;
  };

  const std::size_t ring_size_;
  std::map<NodeId, std::vector<Slot>> rings_;  ///< call number n at n % ring_size_
};

}  // namespace zap
