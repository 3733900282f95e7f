#ifndef MSAB_PROTOCOL_SOCKETIO_DIALECT_H_
#define MSAB_PROTOCOL_SOCKETIO_DIALECT_H_

#include "server/protocol/dialect.h"

namespace msab {

// What an unmodified socket.io-client 4 speaks over WebSocket: Socket.IO 5 in Engine.IO 4, the
// namespace "/", text packets (contract page, section 6). An event's last argument is its cursor,
// which the client keeps and shows as `offset` when it comes back.
class SocketIoDialect final : public Dialect {
 public:
  DialectId id() const override { return DialectId::kSocketIo; }
  const Conduct& conduct() const override;

  FramePtr Event(const EntryPtr& entry, std::string_view epoch) const override;
  FramePtr Open(const Greeting& greeting) const override;
  // A cursor that could not be honoured is said, by an event `gap`: the client's own `recovered`
  // speaks of sessions only.
  Frames Hello(const Welcome& welcome) const override;
  FramePtr Refuse(ConnectRefusal why) const override;
  FramePtr Live(const Cursor& cursor) const override;
  FramePtr Heartbeat() const override;
  FramePtr Ping(const Cursor& cursor) const override;
  FramePtr Reply(int64_t id, const CommandResult& result) const override;
  // Who is not to come back is told so, because the client looks at no close code.
  Frames Farewell(uint16_t code, std::string_view reason) const override;
  ClientMessage Decode(std::string_view text) const override;
};

}  // namespace msab

#endif  // MSAB_PROTOCOL_SOCKETIO_DIALECT_H_
