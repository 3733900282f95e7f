#ifndef MSAB_SESSION_TRANSPORT_H_
#define MSAB_SESSION_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "server/protocol/frame.h"
#include "server/session/outbox.h"

namespace msab {

// What a session needs of its connection, so that a test can stand in for the socket.
// Shard thread only.
class Transport {
 public:
  virtual ~Transport() = default;

  // Where frames wait; its bytes are the session's measure of a slow reader.
  virtual Outbox& outbox() = 0;

  // The outbox has something to write: flush at the end of the shard's turn.
  virtual void MarkDirty() = 0;

  // Writes what the socket takes at once. May find the connection lost.
  virtual void Flush() = 0;

  // Sends what waits, then a close frame, and ends the connection.
  virtual void Close(uint16_t code, std::string_view reason) = 0;

  // Ends the connection at once.
  virtual void Abort() = 0;

  // The session takes client messages again (it takes none while it enters or replays).
  virtual void ResumeReading() = 0;

  // The token was accepted: the connection no longer counts as unauthenticated.
  virtual void OnAuthenticated() = 0;

  // Keeps connection and session alive while held.
  virtual std::shared_ptr<void> Share() = 0;
};

}  // namespace msab

#endif  // MSAB_SESSION_TRANSPORT_H_
