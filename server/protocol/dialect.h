#ifndef MSAB_PROTOCOL_DIALECT_H_
#define MSAB_PROTOCOL_DIALECT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "boost/json/value.hpp"
#include "server/contract/command.h"
#include "server/contract/cursor.h"
#include "server/contract/entry.h"
#include "server/protocol/dialect_id.h"
#include "server/protocol/frame.h"

namespace msab {

// What a session's first frame tells.
struct Welcome {
  enum class Recovered : uint8_t { kNoCursor, kYes, kGapEpoch, kGapExpired };

  std::string connection_id;
  UserId user = 0;
  Cursor cursor;  // where the connection starts
  Recovered recovered = Recovered::kNoCursor;
  size_t missed = 0;  // events that follow before `live`
  std::vector<std::string> rooms;
  int64_t ping_interval = 0;     // ms
  int64_t token_expires_at = 0;  // ms since 1970
};

// What a client said.
struct ClientMessage {
  enum class Kind : uint8_t {
    kCommand,
    kMalformed,  // not of the dialect: close 4502; `fault` says why
  };
  Kind kind = Kind::kMalformed;
  std::optional<int64_t> id;  // the client wants a reply under this number
  std::string event;
  boost::json::value data;  // null where absent
  std::string_view fault;   // a literal
};

// How a session's events, answers and commands look on the wire. A dialect holds no state of a
// session: entries, welcomes and results go in, frames come out, and client bytes become the same
// commands whatever the dialect. Nothing in shards, log or rooms knows which one a session speaks.
// Immutable; any thread, but the frames belong to the calling shard.
class Dialect {
 public:
  virtual ~Dialect() = default;

  virtual DialectId id() const = 0;

  // The frame of an event, the same for every recipient. `epoch` is the log's.
  virtual FramePtr Event(const EntryPtr& entry, std::string_view epoch) const = 0;

  virtual FramePtr Hello(const Welcome& welcome) const = 0;
  // From here on events are live.
  virtual FramePtr Live(const Cursor& cursor) const = 0;
  // The application's own ping, for clients that cannot see protocol pings.
  virtual FramePtr Ping(const Cursor& cursor) const = 0;
  // The answer to the command with this id.
  virtual FramePtr Reply(int64_t id, const CommandResult& result) const = 0;

  virtual ClientMessage Decode(std::string_view text) const = 0;
};

}  // namespace msab

#endif  // MSAB_PROTOCOL_DIALECT_H_
