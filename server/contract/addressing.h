#ifndef MSAB_CONTRACT_ADDRESSING_H_
#define MSAB_CONTRACT_ADDRESSING_H_

#include <optional>
#include <string>

#include "server/contract/audience.h"
#include "server/contract/event_type.h"
#include "server/contract/violation.h"

namespace msab {

namespace v1 {
class Target;
}  // namespace v1

// Whom an event's payload names. At most one of the two is set.
struct NamedByPayload {
  UserId user = 0;   // 0: nobody
  std::string room;  // empty: none
};

// Finds whom an event goes to, from the target that the emitter gave (null: none), its payload and
// the audiences that `type` declares. A target that says less or other than these is a violation;
// nothing ever means "everyone" by omission, but for events declared for everyone alone.
std::optional<Target> ResolveTarget(const EventType& type, const v1::Target* given,
                                    const NamedByPayload& named, Violations& violations);

}  // namespace msab

#endif  // MSAB_CONTRACT_ADDRESSING_H_
