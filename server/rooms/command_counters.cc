#include "server/rooms/command_counters.h"

#include <algorithm>

namespace msab {
namespace {

// The place of `label`, or that of the last one.
template <size_t n>
size_t IndexOrLast(const std::array<std::string_view, n>& labels, std::string_view label) {
  const auto found = std::find(labels.begin(), labels.end() - 1, label);
  return static_cast<size_t>(found - labels.begin());
}

}  // namespace

size_t CommandCounters::CommandIndex(std::string_view event) {
  return IndexOrLast(kCommands, event);
}

void CommandCounters::Count(size_t command, const CommandResult& result) {
  const auto* error = std::get_if<CommandError>(&result);
  counts_[command][error == nullptr ? 0 : IndexOrLast(kOutcomes, error->code)].Add();
}

}  // namespace msab
