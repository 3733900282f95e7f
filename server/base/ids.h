#ifndef MSAB_BASE_IDS_H_
#define MSAB_BASE_IDS_H_

#include <string>

namespace msab {

// A fresh event id: a UUID (RFC 9562 version 7: it sorts by the time of its making, which keeps
// Laravel's tables of them compact). 36 characters. Any thread.
std::string NewEventId();

// A fresh connection id: 90 random bits from the kernel's generator, so that nobody can name
// another's connection by guessing, as 15 characters of base64url: what a std::string holds
// without an allocation, and ids are kept in several places. Any thread.
std::string NewConnectionId();

// A fresh log epoch: 12 characters of [0-9a-z]. Any thread.
std::string NewEpoch();

}  // namespace msab

#endif  // MSAB_BASE_IDS_H_
