#include "core/membership.h"

#include <algorithm>
#include <charconv>

namespace zap {

const Member* Membership::find(NodeId id) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [id](const Member& member) { return member.id == id; });
  return found == members.end() ? nullptr : &*found;
}

const Member* Membership::find(std::string_view name) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [name](const Member& member) { return member.name == name; });
  return found == members.end() ? nullptr : &*found;
}

std::string Membership::name_of(NodeId id) const {
  const Member* member = find(id);
  return member ? member->name : "node#" + std::to_string(id);
}

Digest Membership::digest() const {
  Hasher hasher("zap membership");
  hasher.add(epoch).add(static_cast<std::uint64_t>(members.size()));
  for (const Member& member : members) {
    hasher.add(member.id)
        .add(std::string_view(member.name))
        .add(std::string_view(member.address))
        .add(std::string_view(reinterpret_cast<const char*>(member.public_key.bytes.data()),
                              member.public_key.bytes.size()));
  }
  return hasher.finish();
}

std::string to_string(const OperationId& id, const Membership& membership) {
  return membership.name_of(id.origin) + "-" + std::to_string(id.incarnation) + "-" +
         std::to_string(id.number);
}

std::optional<OperationId> parse_operation_id(std::string_view text, const Membership& membership) {
  const std::size_t last = text.rfind('-');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const std::size_t middle = text.rfind('-', last - 1);
  if (middle == std::string_view::npos) return std::nullopt;
  const Member* origin = membership.find(text.substr(0, middle));
  if (!origin) return std::nullopt;

  OperationId id{.origin = origin->id};
  const auto parse = [](std::string_view digits, std::uint64_t& number) {
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
    return error == std::errc() && end == digits.end();
  };
  if (!parse(text.substr(middle + 1, last - middle - 1), id.incarnation)) return std::nullopt;
  if (!parse(text.substr(last + 1), id.number)) return std::nullopt;
  if (to_string(id, membership) != text) return std::nullopt;
  return id;
}

}  // namespace zap
