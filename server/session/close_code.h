#ifndef MSAB_SESSION_CLOSE_CODE_H_
#define MSAB_SESSION_CLOSE_CODE_H_

#include <cstdint>

#include "msab/v1/session.pb.h"
#include "server/session/counters.h"

namespace msab {

// The relay's WebSocket close codes: those that session.proto declares, and what of the standard's
// (RFC 6455) it uses. 4000–4499: come back with the cursor. 4500–4999: don't.
enum class CloseCode : uint16_t {
  kNormal = 1000,    // RFC 6455: what it was for is done
  kInternal = 1011,  // RFC 6455: the server failed; come back
  kSlowConsumer = v1::CLOSE_CODE_SLOW_CONSUMER,
  kTokenExpired = v1::CLOSE_CODE_TOKEN_EXPIRED,
  kNoPong = v1::CLOSE_CODE_NO_PONG,
  kDraining = v1::CLOSE_CODE_DRAINING,
  kTooManyConnections = v1::CLOSE_CODE_TOO_MANY_CONNECTIONS,
  kUnauthenticated = v1::CLOSE_CODE_UNAUTHENTICATED,
  kRevoked = v1::CLOSE_CODE_REVOKED,
  kProtocolError = v1::CLOSE_CODE_PROTOCOL_ERROR,
  kOriginNotAllowed = v1::CLOSE_CODE_ORIGIN_NOT_ALLOWED,
  kRemoved = v1::CLOSE_CODE_REMOVED,
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
