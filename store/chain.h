// store/chain.h - what binds a record to its place: its CRC, and the hash that the next one names.

#pragma once

#include <cstdint>

#include "core/digest.h"
#include "store/log.h"

namespace zap::store {

/// A record with the hash of the one before it: what one row of a segment holds.
struct ChainedRecord {
  Position position = 0;
  Digest previous;
  LogRecord record;
};

/// How far a chain has come: the position of its last record, and that record's hash.
struct ChainEnd {
  Position position = 0;
  Digest hash;
};

/// CRC-32C over every field.
std::uint32_t crc_of(const ChainedRecord& record);
/// SHA-256 over every field.
Digest hash_of(const ChainedRecord& record);

}  // namespace zap::store
