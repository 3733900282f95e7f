#include "server/contract/participant.h"

#include <cstddef>
#include <optional>
#include <string_view>

#include "boost/json/serialize.hpp"
#include "boost/json/string.hpp"
#include "boost/json/value.hpp"

namespace msab {
namespace {

namespace json = boost::json;

constexpr size_t kMaxName = 256;
constexpr size_t kMaxAvatar = 2048;

// The member as a text that the event may hold; nothing if there is none.
std::optional<json::string> TextOf(const json::object& known, std::string_view key, size_t most) {
  const json::value* const value = known.if_contains({key.data(), key.size()});
  if (value == nullptr || !(value->is_string() || value->is_number())) return std::nullopt;
  json::string text = value->is_string() ? value->get_string() : json::string(serialize(*value));
  if (text.empty() || text.size() > most) return std::nullopt;
  return text;
}

}  // namespace

std::string ParticipantJson(UserId user, const json::object& known) {
  json::object shown;
  shown.reserve(known.size() + 3);
  shown["id"] = user;
  shown["name"] = TextOf(known, "name", kMaxName).value_or(json::string(std::to_string(user)));
  const std::optional<json::string> avatar = TextOf(known, "avatar", kMaxAvatar);
  shown["avatar"] = avatar ? json::value(*avatar) : json::value(nullptr);
  for (const auto& [key, value] : known) shown.emplace(key, value);  // those three stay as they are
  return json::serialize(shown);
}

}  // namespace msab
