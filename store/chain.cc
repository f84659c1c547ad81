#include "store/chain.h"

#include <string>

#include "store/crc32c.h"
#include "store/little_endian.h"

namespace zap::store {

std::uint32_t crc_of(const ChainedRecord& chained) {
  std::string head;
  put_little_endian(head, chained.position, 8);
  put_little_endian(head, chained.record.kind, 1);
  put_little_endian(head, chained.record.seq, 8);
  head += chained.previous.view();
  return crc32c(chained.record.body.view(), crc32c(head));
}

Digest hash_of(const ChainedRecord& chained) {
  return Hasher("zap log record")
      .add(chained.position)
      .add(std::uint64_t{chained.record.kind})
      .add(chained.record.seq)
      .add(chained.previous)
      .add(chained.record.body.view())
      .finish();
}

}  // namespace zap::store
