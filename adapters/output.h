// adapters/output.h - what a session wants written, in order.
//
// A connection hands one Output to every session call of a loop turn and writes it once. Small
// pieces are copied together; large ones are shared, so a large body goes from the socket that
// brought it to the socket that takes it without another copy.
//
// Threads: lives on the connection's loop.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.h"

namespace zap {

class Output {
 public:
  /// Pieces of at least this size are shared, smaller ones copied.
  static constexpr std::size_t kShareFrom = 4096;

  void append(std::string_view bytes) {
    tail_.append(bytes);
    size_ += bytes.size();
  }

  void append(const Bytes& bytes) {
    if (bytes.size() < kShareFrom) return append(bytes.view());
    flush_tail();
    pieces_.push_back(bytes);
    size_ += bytes.size();
  }

  void append(const Output& other) {
    for (const Bytes& piece : other.pieces_) append(piece);
    append(std::string_view(other.tail_));
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// Everything so far, as the pieces to write; empties this object.
  std::vector<Bytes> take() {
    flush_tail();
    size_ = 0;
    return std::exchange(pieces_, {});
  }

 private:
  void flush_tail() {
    if (!tail_.empty()) pieces_.emplace_back(std::exchange(tail_, {}));
  }

  std::vector<Bytes> pieces_;
  std::string tail_;  ///< comes after pieces_
  std::size_t size_ = 0;
};

}  // namespace zap
