#include "server/contract/json_text.h"

#include <array>
#include <boost/locale/utf.hpp>
#include <charconv>
#include <cmath>

namespace msab {
namespace {

// What to do with a byte inside a JSON string.
enum Action : uint8_t { kCopy, kEscape, kMultibyte };

constexpr std::array<Action, 256> kActions = [] {
  std::array<Action, 256> actions{};
  for (int c = 0; c < 0x20; ++c) actions[c] = kEscape;
  actions['"'] = kEscape;
  actions['\\'] = kEscape;
  for (int c = 0x80; c < 0x100; ++c) actions[c] = kMultibyte;
  return actions;
}();

void AppendEscaped(unsigned char c, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('\\');
  switch (c) {
    case '"':
    case '\\':
      out->push_back(static_cast<char>(c));
      return;
    case '\b':
      out->push_back('b');
      return;
    case '\f':
      out->push_back('f');
      return;
    case '\n':
      out->push_back('n');
      return;
    case '\r':
      out->push_back('r');
      return;
    case '\t':
      out->push_back('t');
      return;
    default:
      out->append("u00");
      out->push_back(kHex[c >> 4]);
      out->push_back(kHex[c & 15]);
  }
}

// Moves `p` past one character; false if there is no valid one.
bool SkipCharacter(const char*& p, const char* end) {
  namespace utf = boost::locale::utf;
  const utf::code_point point = utf::utf_traits<char>::decode(p, end);
  return point != utf::illegal && point != utf::incomplete;
}

}  // namespace

bool AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  const char* p = text.data();
  const char* const end = p + text.size();
  const char* copied = p;  // everything before it is in `out`
  while (p != end) {
    const auto c = static_cast<unsigned char>(*p);
    switch (kActions[c]) {
      case kCopy:
        ++p;
        break;
      case kEscape:
        out->append(copied, p);
        AppendEscaped(c, out);
        copied = ++p;
        break;
      case kMultibyte:
        if (!SkipCharacter(p, end)) return false;
        break;
    }
  }
  out->append(copied, p);
  out->push_back('"');
  return true;
}

void AppendJsonInt(int64_t number, std::string* out) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out->append(digits.data(), end);
}

bool AppendJsonDouble(double number, std::string* out) {
  if (!std::isfinite(number)) return false;
  static constexpr double kMaxWhole = 9'007'199'254'740'992.0;  // 2^53
  if (std::trunc(number) == number && std::abs(number) <= kMaxWhole) {
    AppendJsonInt(static_cast<int64_t>(number), out);
    return true;
  }
  std::array<char, 32> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out->append(digits.data(), end);
  return true;
}

std::optional<size_t> CountCharacters(std::string_view text) {
  size_t count = 0;
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    if (!SkipCharacter(p, end)) return std::nullopt;
    ++count;
  }
  return count;
}

}  // namespace msab
