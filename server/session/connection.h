#ifndef MSAB_SESSION_CONNECTION_H_
#define MSAB_SESSION_CONNECTION_H_

#include <memory>

#include "server/protocol/dialect.h"
#include "server/session/door.h"
#include "server/session/limits.h"
#include "server/session/session_host.h"
#include "server/session/wire.h"

namespace msab {

// One TCP connection at the public listener: the HTTP request, the upgrade, Beast's WebSocket
// stream over the Wire, and the Session that speaks through it. The one translation unit that
// instantiates websocket::stream is connection.cc.
//
// Owned by its shard (see ConnectionHost), and by Asio operations in flight. Shard thread only.
class Connection : public Wire::Owner {
 public:
  // Asks the processor for what Flush is about to touch.
  virtual void Prefetch() const = 0;

  // Sends what waits. Called by the shard at the end of a turn in which the wire became dirty.
  virtual void Flush() = 0;

  // A node that drains asks its clients to come back in `retry_after_ms`. Who has not sent all of
  // its request is refused as others are then (503).
  virtual void Drain(int64_t retry_after_ms) = 0;

  // Ends it at once.
  virtual void Abort() = 0;

  // The shard's bookkeeping.
  bool dirty = false;
};

// The shard as its connections and its listener see it. Shard thread only.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;

  virtual net::io_context& io() = 0;
  virtual SessionHost& sessions() = 0;
  virtual const Door& door() const = 0;
  virtual ConnectionLimits& limits() = 0;
  // Null for a dialect that this relay doesn't speak.
  virtual const Dialect* dialect(DialectId id) const = 0;
  virtual size_t max_message_bytes() const = 0;
  virtual bool draining() const = 0;

  // Holds the connection until Retire, which takes effect at the end of the turn.
  virtual void Adopt(std::shared_ptr<Connection> connection) = 0;
  virtual void Retire(Connection& connection) = 0;
  // Flush it at the end of this turn.
  virtual void MarkDirty(Connection& connection) = 0;
};

// Takes over a socket just accepted: adopts a connection for it and reads its request.
void StartConnection(TcpSocket socket, ConnectionHost& host);

}  // namespace msab

#endif  // MSAB_SESSION_CONNECTION_H_
