#ifndef MSAB_CONTRACT_PARTICIPANT_H_
#define MSAB_CONTRACT_PARTICIPANT_H_

#include <string>

#include "boost/json/object.hpp"
#include "server/contract/audience.h"

namespace msab {

// A user as the others in a room see them (`Participant` of events.proto), as JSON text. What is
// known comes from outside, from a token's claims or the application's answer, and need not be what
// the event declares: `id` is `user`, whatever `known` says; a name that is none, or has more than
// 256 bytes, is the id in digits; an avatar that is none, or has more than 2,048 bytes, is null. A
// number stands for its digits. All else is shown as it is.
std::string ParticipantJson(UserId user, const boost::json::object& known);

}  // namespace msab

#endif  // MSAB_CONTRACT_PARTICIPANT_H_
