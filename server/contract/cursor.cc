#include "server/contract/cursor.h"

#include <algorithm>
#include <charconv>

namespace msab {

std::optional<Cursor> Cursor::Parse(std::string_view text) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos || dash == 0 || dash > 16) return std::nullopt;
  const std::string_view epoch = text.substr(0, dash);
  const bool epoch_fits = std::all_of(epoch.begin(), epoch.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
  });
  if (!epoch_fits) return std::nullopt;
  const std::string_view digits = text.substr(dash + 1);
  uint64_t sequence = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), sequence, 10);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return Cursor{std::string(epoch), sequence};
}

}  // namespace msab
