#ifndef MSAB_SESSION_CLOSE_CODE_H_
#define MSAB_SESSION_CLOSE_CODE_H_

#include <cstdint>

#include "server/session/counters.h"

namespace msab {

// The relay's WebSocket close codes (contract page, section 8). 4000–4499: come back with the
// cursor. 4500–4999: don't.
enum class CloseCode : uint16_t {
  kNormal = 1000,    // RFC 6455: what it was for is done
  kInternal = 1011,  // RFC 6455: the server failed; come back
  kSlowConsumer = 4000,
  kTokenExpired = 4001,
  kNoPong = 4002,
  kDraining = 4003,
  kTooManyConnections = 4004,
  kUnauthenticated = 4500,
  kRevoked = 4501,
  kProtocolError = 4502,
  kOriginNotAllowed = 4503,
  kRemoved = 4504,
};

// How metrics and logs name it.
constexpr CloseCause CauseOf(CloseCode code) {
  switch (code) {
    case CloseCode::kNormal:
      return CloseCause::kClient;
    case CloseCode::kInternal:
      return CloseCause::kInternal;
    case CloseCode::kSlowConsumer:
      return CloseCause::kSlowConsumer;
    case CloseCode::kTokenExpired:
      return CloseCause::kTokenExpired;
    case CloseCode::kNoPong:
      return CloseCause::kNoPong;
    case CloseCode::kDraining:
      return CloseCause::kDraining;
    case CloseCode::kTooManyConnections:
      return CloseCause::kTooMany;
    case CloseCode::kUnauthenticated:
      return CloseCause::kUnauthenticated;
    case CloseCode::kRevoked:
      return CloseCause::kRevoked;
    case CloseCode::kProtocolError:
      return CloseCause::kProtocolError;
    case CloseCode::kOriginNotAllowed:
      return CloseCause::kOrigin;
    case CloseCode::kRemoved:
      return CloseCause::kRemoved;
  }
  return CloseCause::kClient;
}

}  // namespace msab

#endif  // MSAB_SESSION_CLOSE_CODE_H_
