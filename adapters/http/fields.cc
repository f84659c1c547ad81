#include "adapters/http/fields.h"

#include <algorithm>
#include <array>

#include "adapters/http/text.h"

namespace zap::http {
namespace {

constexpr std::array<std::string_view, 10> kHopByHop = {"connection",
                                                        "keep-alive",
                                                        "proxy-connection",
                                                        "proxy-authenticate",
                                                        "te",
                                                        "proxy-authorization",
                                                        "trailer",
                                                        "transfer-encoding",
                                                        "upgrade",
                                                        "expect"};

/// Without these a message means something else: Connection cannot have them dropped.
constexpr std::array<std::string_view, 2> kNeverDropped = {"host", "content-length"};

template <typename List>
bool is_one_of(std::string_view name, const List& list) {
  return std::any_of(list.begin(), list.end(),
                     [&](std::string_view known) { return equals(name, known); });
}

template <typename Element>
void for_each_option(const Head& head, Element element) {
  for (const Header& header : head.headers) {
    if (equals(header.name, "connection")) for_each_element(header.value, element);
  }
}

}  // namespace

// A CGI or WSGI server takes Zap_Seed for Zap-Seed.
bool is_zap_field(std::string_view name) {
  return starts_with(name, "zap-") || starts_with(name, "zap_");
}

bool ConnectionFields::names_fields(const Head& head) {
  bool found = false;
  for_each_option(head, [&](std::string_view option) {
    found |= !equals(option, "close") && !equals(option, "keep-alive");
  });
  return found;
}

bool ConnectionFields::contains(std::string_view name) const {
  if (is_one_of(name, kHopByHop)) return true;
  if (!named_ || is_one_of(name, kNeverDropped)) return false;
  bool found = false;
  for_each_option(head_, [&](std::string_view option) { found |= same_name(option, name); });
  return found;
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace zap::http
