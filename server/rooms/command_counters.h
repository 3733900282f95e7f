#ifndef MSAB_ROOMS_COMMAND_COUNTERS_H_
#define MSAB_ROOMS_COMMAND_COUNTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/base/counter.h"
#include "server/dispatch/command_handler.h"

namespace msab {

// Answered client commands by name and outcome: a table of fixed size, whatever clients send.
// Owned by Commands. Any thread.
class CommandCounters {
 public:
  // Labels. Commands of any other name count as "other".
  static constexpr std::array<std::string_view, 5> kCommands = {
      "room:join", "room:leave", "chat:message", "gift:send", "other"};
  // "OK", or the code of the error.
  static constexpr std::array<std::string_view, 9> kOutcomes = {
      "OK",           "NOT_IN_ROOM",          "ROOM_FORBIDDEN", "INVALID_PAYLOAD", "UNKNOWN_EVENT",
      "RATE_LIMITED", "UPSTREAM_UNAVAILABLE", "REJECTED",       "INTERNAL"};

  // The place of a command's name in kCommands.
  static size_t CommandIndex(std::string_view event);

  void Count(size_t command, const CommandResult& result);

  int64_t Value(size_t command, size_t outcome) const { return counts_[command][outcome].Value(); }

 private:
  std::array<std::array<SharedCounter, kOutcomes.size()>, kCommands.size()> counts_;
};

}  // namespace msab

#endif  // MSAB_ROOMS_COMMAND_COUNTERS_H_
