// consensus/wire/write.h - values into Cap'n Proto builders, field by field. Inside of codec.h.

#pragma once

#include "consensus/engine.h"
#include "consensus/wire/barrier.h"
#include "consensus/wire/messages.capnp.h"
#include "consensus/wire/peer_messages.h"

namespace zap::wire {

void write(const Hello& hello, schema::Hello::Builder to);
void write(const AnswerMessage& message, schema::PeerMessage::Builder to);
void write(const Message& message, schema::PeerMessage::Builder to);
void write(const Record& record, schema::Record::Builder to);
void write(const Barrier& barrier, schema::Barrier::Builder to);

}  // namespace zap::wire
