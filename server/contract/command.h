#ifndef MSAB_CONTRACT_COMMAND_H_
#define MSAB_CONTRACT_COMMAND_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/contract/violation.h"

namespace msab {

// Why a client's command was refused: the `error` of a reply. Codes are those of the contract page.
struct CommandError {
  std::string_view code;  // a literal
  std::string message;
  int64_t retry_after_ms = 0;  // 0: not told
  std::string details_json;    // empty: none
};

// Success carries the reply's `data`: one JSON object as text.
using CommandResult = std::variant<std::string, CommandError>;

// INVALID_PAYLOAD that names every violated path; `details` are [{"field", "description"}].
CommandError InvalidPayload(const std::vector<Violation>& violations);

}  // namespace msab

#endif  // MSAB_CONTRACT_COMMAND_H_
