#ifndef MSAB_PROTOCOL_NATIVE_DIALECT_H_
#define MSAB_PROTOCOL_NATIVE_DIALECT_H_

#include "server/protocol/dialect.h"

namespace msab {

// The relay's own dialect: one JSON object a text frame (contract page, section 5).
class NativeDialect final : public Dialect {
 public:
  DialectId id() const override { return DialectId::kNative; }
  const Conduct& conduct() const override;

  FramePtr Event(const EntryPtr& entry, std::string_view epoch) const override;
  FramePtr Open(const Greeting& greeting) const override;
  Frames Hello(const Welcome& welcome) const override;
  FramePtr Refuse(ConnectRefusal why) const override;
  FramePtr Live(const Cursor& cursor) const override;
  FramePtr Heartbeat() const override;
  FramePtr Ping(const Cursor& cursor) const override;
  FramePtr Reply(int64_t id, const CommandResult& result) const override;
  Frames Farewell(uint16_t code, std::string_view reason) const override;
  ClientMessage Decode(std::string_view text) const override;
};

}  // namespace msab

#endif  // MSAB_PROTOCOL_NATIVE_DIALECT_H_
