// proxy/commands/load_run.h - drives load at listeners and tells how they did.
//
// Every connection has one call in flight. Without a rate the next call follows each answer; with
// one, calls are due at even times and latency counts from then, so that a target that stalls
// cannot hide the calls that it kept waiting.
//
// Threads: one, with an event loop of its own.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "proxy/commands/latencies.h"

namespace zap {

struct LoadSettings {
  enum class Mode { kWrite, kRead, kMixed };

  std::vector<std::string> targets;  ///< host:port; connections are spread over them in turn
  std::size_t connections = 16;
  std::chrono::seconds duration{10};
  std::size_t size = 256;          ///< bytes of a written value
  Mode mode = Mode::kWrite;        ///< mixed: a read after each write
  double rate = 0;                 ///< calls a second over all connections; 0: as fast as it goes
  std::size_t keys = 1000;         ///< different keys, taken in turn
  std::string path = "/kv/{key}";  ///< POST writes here, GET reads; {key} becomes 16 bytes
};

struct LoadReport {
  Latencies latencies;                          ///< of the calls answered with 2xx
  std::map<std::string, std::uint64_t> errors;  ///< by status or, in words, by what else went wrong
  std::chrono::duration<double> took{0};

  double calls_per_second() const {
    return took.count() > 0 ? static_cast<double>(latencies.count()) / took.count() : 0;
  }
};

/// Runs to the end, with a progress line on standard error. kInvalid for an address that makes no
/// sense, kUnavailable where a target cannot be reached at the start.
Result<LoadReport> run_load(const LoadSettings& settings);

}  // namespace zap
