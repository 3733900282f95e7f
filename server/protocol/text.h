#ifndef MSAB_PROTOCOL_TEXT_H_
#define MSAB_PROTOCOL_TEXT_H_

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

namespace msab {

// Pieces of text that dialects make their frames of.

// A number as text on the stack: an event's frame is made without a string of its own.
class Digits {
 public:
  template <typename Int>
  explicit Digits(Int value)
      : size_(static_cast<size_t>(std::to_chars(text_, text_ + sizeof(text_), value).ptr - text_)) {
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[20];
  size_t size_;
};

// An event's name as it stands in a JSON string literal. Names are of [A-Za-z0-9_.:\-] and the
// backslash, the only one of them that JSON escapes; `room` is used where there is one.
std::string_view EscapedName(std::string_view name, std::string& room);

// `text` as a JSON string literal.
std::string QuotedJson(std::string_view text);

}  // namespace msab

#endif  // MSAB_PROTOCOL_TEXT_H_
