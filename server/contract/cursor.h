#ifndef MSAB_CONTRACT_CURSOR_H_
#define MSAB_CONTRACT_CURSOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace msab {

// A place in the log, and the whole resume token of a session: "<epoch>-<sequence>" on the wire.
// Every log (each life of a memory log) has an epoch of its own, [0-9a-z]{1,16}; sequences start
// at 1, so 0 is "before the first event".
struct Cursor {
  std::string epoch;
  uint64_t sequence = 0;

  std::string ToString() const { return epoch + "-" + std::to_string(sequence); }

  // Nothing for a text that is not a cursor.
  static std::optional<Cursor> Parse(std::string_view text);

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

}  // namespace msab

#endif  // MSAB_CONTRACT_CURSOR_H_
