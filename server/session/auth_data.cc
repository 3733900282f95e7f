#include "server/session/auth_data.h"

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"

namespace msab {
namespace {

constexpr char kNotAString[] = "must be a string";

// The member; null if it is absent or null.
const boost::json::value* Find(const boost::json::object& object, boost::json::string_view key) {
  const boost::json::value* const member = object.if_contains(key);
  return member == nullptr || member->is_null() ? nullptr : member;
}

void ReadRooms(const boost::json::value& given, std::vector<std::string>& rooms,
               Violations& violations) {
  const boost::json::array* const names = given.if_array();
  if (names == nullptr) return violations.Add("rooms", "must be a list");
  for (size_t i = 0; i < names->size(); ++i) {
    const boost::json::value& name = (*names)[i];
    if (name.is_string()) {
      rooms.emplace_back(name.get_string());
    } else if (name.is_int64()) {
      rooms.push_back(absl::StrCat(name.get_int64()));
    } else {
      violations.Add(absl::StrCat("rooms[", i, "]"), "must be a string or a whole number");
    }
  }
}

}  // namespace

std::vector<Violation> AuthData::Read(const boost::json::value& data) {
  Violations violations;
  const boost::json::object* const object = data.if_object();
  if (object == nullptr) {
    violations.Add("data", "must be an object");
    return violations.Take();
  }
  if (const boost::json::value* given = Find(*object, "token"); given == nullptr) {
    violations.Add("token", "is required");
  } else if (given->is_string()) {
    token = std::string(given->get_string());
  } else {
    violations.Add("token", kNotAString);
  }
  if (const boost::json::value* given = Find(*object, "cursor"); given != nullptr) {
    if (given->is_string()) {
      cursor = std::string(given->get_string());
    } else {
      violations.Add("cursor", kNotAString);
    }
  }
  if (const boost::json::value* given = Find(*object, "rooms"); given != nullptr) {
    ReadRooms(*given, rooms.emplace(), violations);
  }
  return violations.Take();
}

}  // namespace msab
