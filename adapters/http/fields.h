// adapters/http/fields.h - which header fields a proxy drops, and which it makes.

#pragma once

#include <string>
#include <string_view>

#include "adapters/http/message_parser.h"

namespace zap::http {

/// Made by the sidecar alone: "Zap-...", which neither clients nor applications may forge.
bool is_zap_field(std::string_view name);

/// The fields of one message that concern its own connection only, which a proxy does not pass on:
/// the well-known ones and those that its Connection fields name. RFC 9110, 7.6.1.
class ConnectionFields {
 public:
  explicit ConnectionFields(const Head& head) : head_(head), named_(names_fields(head)) {}
  bool contains(std::string_view name) const;

 private:
  static bool names_fields(const Head& head);

  const Head& head_;
  const bool named_;  ///< Connection names more than close and keep-alive
};

void append_field(std::string& head, std::string_view name, std::string_view value);

}  // namespace zap::http
