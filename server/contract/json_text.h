#ifndef MSAB_CONTRACT_JSON_TEXT_H_
#define MSAB_CONTRACT_JSON_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace msab {

// JSON is written by hand: straight into one buffer, without a tree in between. Pure functions.

// Appends `text` as a JSON string, quotes included. False if it is not valid UTF-8 (RFC 3629);
// what was appended is then of no use.
[[nodiscard]] bool AppendJsonString(std::string_view text, std::string* out);

void AppendJsonInt(int64_t number, std::string* out);

// Whole numbers up to 2^53 as integers, others with the fewest digits that read back the same.
// False for NaN and infinities, which JSON has no word for; nothing is appended then.
[[nodiscard]] bool AppendJsonDouble(double number, std::string* out);

// The number of Unicode characters (code points); nothing if `text` is not valid UTF-8.
std::optional<size_t> CountCharacters(std::string_view text);

}  // namespace msab

#endif  // MSAB_CONTRACT_JSON_TEXT_H_
