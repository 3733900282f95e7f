#ifndef MSAB_CONTRACT_CUSTOM_EVENTS_H_
#define MSAB_CONTRACT_CUSTOM_EVENTS_H_

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/contract/event_type.h"

namespace msab {

// True for a name that the dialects use themselves: no event may have it.
bool IsReservedName(std::string_view name);

// The events that the configuration adds to the contract, by name or by pattern. Immutable once
// built. Any thread.
class CustomEvents {
 public:
  // Refuses (FAILED_PRECONDITION) a name that is malformed, reserved, or already there. `type`
  // outlives this.
  absl::Status Add(const EventType* type);

  // The type of an event of this name: the exact one, else the longest pattern that matches; null
  // if none, or if the name is malformed or reserved.
  const EventType* Find(std::string_view name) const;

 private:
  // Constant after the last Add
  std::unordered_map<std::string_view, const EventType*> exact_;    // keys: their types' names
  std::vector<std::pair<std::string, const EventType*>> prefixes_;  // the longest first
};

}  // namespace msab

#endif  // MSAB_CONTRACT_CUSTOM_EVENTS_H_
