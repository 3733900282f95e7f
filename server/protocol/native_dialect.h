#ifndef MSAB_PROTOCOL_NATIVE_DIALECT_H_
#define MSAB_PROTOCOL_NATIVE_DIALECT_H_

#include "server/protocol/dialect.h"

namespace msab {

// The relay's own dialect: one JSON object a text frame (contract page, section 5).
class NativeDialect final : public Dialect {
 public:
  DialectId id() const override { return DialectId::kNative; }

  FramePtr Event(const EntryPtr& entry, std::string_view epoch) const override;
  FramePtr Hello(const Welcome& welcome) const override;
  FramePtr Live(const Cursor& cursor) const override;
  FramePtr Ping(const Cursor& cursor) const override;
  FramePtr Reply(int64_t id, const CommandResult& result) const override;
  ClientMessage Decode(std::string_view text) const override;
};

}  // namespace msab

#endif  // MSAB_PROTOCOL_NATIVE_DIALECT_H_
