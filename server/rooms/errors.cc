#include "server/rooms/errors.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace msab {
namespace {

// A full inbox is emptied within a turn or two of its shard; a client needn't be that quick.
constexpr int64_t kRetryAfterMs = 1'000;

}  // namespace

CommandError Refusal(std::string_view code, std::string message, int64_t retry_after_ms) {
  return {code, std::move(message), retry_after_ms, {}};
}

CommandError NotInRoom(const std::string& room) {
  return Refusal("NOT_IN_ROOM",
                 absl::StrCat("this connection is not in room ", room, ": join it first"));
}

CommandError NotDispatched(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
      return Refusal("RATE_LIMITED", "the relay is overloaded: try again later", kRetryAfterMs);
    case absl::StatusCode::kUnavailable:
      return Refusal("INTERNAL", "the relay can't take this now: try again later", kRetryAfterMs);
    default:
      return Refusal("INTERNAL", "the relay failed to carry this out");
  }
}

}  // namespace msab
