#include "server/contract/audience.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace msab {

bool IsRoomId(std::string_view room) {
  return !room.empty() && room.size() <= 64 && std::all_of(room.begin(), room.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ':' || c == '.' ||
           c == '-';
  });
}

}  // namespace msab
