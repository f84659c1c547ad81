// core/bytes.h - immutable bytes with shared ownership.
//
// What a socket delivered is shared from there to the disk and the application and never copied:
// a slice keeps the buffer that it came from alive. Any thread may read.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/check.h"

namespace zap {

class Bytes {
 public:
  Bytes() = default;
  Bytes(std::string owned)  // NOLINT: implicit by design
      : Bytes(std::make_shared<const std::string>(std::move(owned))) {}
  Bytes(const char* text) : Bytes(std::string(text)) {}  // NOLINT: implicit by design

  static Bytes copy_of(std::string_view bytes) { return Bytes(std::string(bytes)); }

  /// Bytes that live inside something else, kept alive with it.
  static Bytes inside(std::shared_ptr<const void> owner, std::string_view view) {
    Bytes bytes;
    bytes.owner_ = std::move(owner);
    bytes.view_ = view;
    return bytes;
  }

  std::string_view view() const { return view_; }
  const char* data() const { return view_.data(); }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }

  Bytes slice(std::size_t offset, std::size_t size) const {
    ZAP_CHECK(offset + size <= view_.size(),
              "slice " << offset << "+" << size << " of " << view_.size() << " bytes");
    return inside(owner_, view_.substr(offset, size));
  }

  friend bool operator==(const Bytes& a, const Bytes& b) { return a.view_ == b.view_; }

 private:
  explicit Bytes(std::shared_ptr<const std::string> owned) : view_(*owned) {
    owner_ = std::move(owned);
  }

  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace zap
