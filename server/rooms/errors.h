#ifndef MSAB_ROOMS_ERRORS_H_
#define MSAB_ROOMS_ERRORS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "server/dispatch/command_handler.h"

namespace msab {

// How commands are refused. Any thread.

// `code` is a literal of the contract page; `retry_after_ms` 0: not told.
CommandError Refusal(std::string_view code, std::string message, int64_t retry_after_ms = 0);

CommandError NotInRoom(const std::string& room);

// The Dispatcher took nothing: too much is under way (try again), or it can't be written now.
CommandError NotDispatched(const absl::Status& status);

}  // namespace msab

#endif  // MSAB_ROOMS_ERRORS_H_
