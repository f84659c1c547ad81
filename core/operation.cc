#include "core/operation.h"

namespace zap {

Digest digest_of(const Operation& operation) {
  return Hasher("zap operation")
      .add(operation.id.origin)
      .add(operation.id.incarnation)
      .add(operation.id.number)
      .add(operation.deadline)
      .add(std::string_view(operation.listener))
      .add(std::string_view(operation.method))
      .add(operation.payload.view())
      .finish();
}

}  // namespace zap
