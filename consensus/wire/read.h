// consensus/wire/read.h - Cap'n Proto readers into values, with limits. Inside of codec.h.
//
// Throws Malformed, or kj::Exception where Cap'n Proto itself notices; codec.cc catches both.

#pragma once

#include <stdexcept>

#include "consensus/engine.h"
#include "consensus/wire/barrier.h"
#include "consensus/wire/messages.capnp.h"
#include "consensus/wire/peer_messages.h"
#include "core/bytes.h"

namespace zap::wire {

class Malformed : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// `owner` holds the bytes that the readers point into: payloads become slices of it.
PeerMessage read(schema::PeerMessage::Reader from, const Bytes& owner);
Record read(schema::Record::Reader from, const Bytes& owner);
Barrier read(schema::Barrier::Reader from, const Bytes& owner);

}  // namespace zap::wire
