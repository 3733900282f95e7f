#include "server/protocol/text.h"

#include "boost/json/serialize.hpp"
#include "boost/json/string_view.hpp"

namespace msab {

std::string_view EscapedName(std::string_view name, std::string& room) {
  if (name.find('\\') == std::string_view::npos) return name;
  room.clear();
  room.reserve(name.size() + 4);
  for (char c : name) {
    if (c == '\\') room.push_back('\\');
    room.push_back(c);
  }
  return room;
}

std::string QuotedJson(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

}  // namespace msab
