// tests/support/describe.h - messages as one line of text, the same in scenarios and diagrams:
// "PREPARE v0 s1 1a2b". The digest of the null request reads "null".

#pragma once

#include <string>

#include "consensus/pbft/messages.h"

namespace zap::test {

std::string describe(const pbft::Message& message);
/// The first two bytes, or "null".
std::string describe(const Digest& digest);

}  // namespace zap::test
