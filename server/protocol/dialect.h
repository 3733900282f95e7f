#ifndef MSAB_PROTOCOL_DIALECT_H_
#define MSAB_PROTOCOL_DIALECT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "boost/json/value.hpp"
#include "server/contract/command.h"
#include "server/contract/cursor.h"
#include "server/contract/entry.h"
#include "server/protocol/dialect_id.h"
#include "server/protocol/frame.h"

namespace msab {

// How a session conducts itself in a dialect, where dialects differ. Constant.
struct Conduct {
  // Ms from the upgrade in which a message has to bring the credentials. 0: the upgrade may have
  // brought them; else a first message has what is left of ws.auth_timeout.
  int64_t connect_within = 0;

  // From the upgrade on a Heartbeat goes out every ping interval, whatever else is sent, and is
  // answered by a message (ClientMessage::Kind::kPong). False: from the welcome on, by protocol
  // pings. Either way anything that is heard of the client within the ping timeout will do.
  bool heartbeat_by_message = false;

  // A session's id, rooms and progress are kept in the ResumeStore, so that a client that comes
  // back goes on as the same connection. False: a client shows a cursor and names its rooms.
  bool recovers = false;

  // The welcome tells how many events were missed.
  bool tells_missed = true;
};

// What the answer to an upgrade tells.
struct Greeting {
  std::string connection_id;  // of the transport; the session's own comes with the welcome
  int64_t ping_interval = 0;  // ms
  size_t max_message_bytes = 0;
};

// What a session's first frame tells.
struct Welcome {
  enum class Recovered : uint8_t { kNoCursor, kYes, kGapEpoch, kGapExpired };

  std::string connection_id;
  std::string resume_id;  // under which the session is kept; empty: it isn't
  UserId user = 0;
  Cursor cursor;  // where the connection starts
  Recovered recovered = Recovered::kNoCursor;
  size_t missed = 0;  // events that follow before `live`
  std::vector<std::string> rooms;
  int64_t ping_interval = 0;     // ms
  int64_t token_expires_at = 0;  // ms since 1970
};

// Why nobody was let in.
enum class ConnectRefusal : uint8_t {
  kNoToken,
  kInvalidToken,
  kExpiredToken,
  kOrigin,
};

// What a client shows to be let in, unchecked.
struct Credentials {
  std::string token = {};                  // empty: none
  std::optional<std::string> cursor = {};  // where it wants to go on
  std::vector<std::string> rooms = {};     // to be joined
  std::string resume_id = {};              // of the session it goes on with; empty: none
  std::optional<std::string> offset = {};  // the last cursor that session saw
};

// What a client said.
struct ClientMessage {
  enum class Kind : uint8_t {
    kCommand,
    kConnect,    // `credentials`
    kPong,       // the answer to a heartbeat
    kGoodbye,    // the client leaves for good; its connection may stay a while
    kHangUp,     // the connection is to be closed
    kAttached,   // a command that can't be taken: `attachments` binary messages belong to it
    kAnswered,   // settled by the dialect: `answer` is to be sent
    kIgnored,    // nothing to do
    kMalformed,  // not of the dialect: close 4502; `fault` says why. Whoever is not in yet hears
                 // `answer` before that, if there is one
  };
  Kind kind = Kind::kMalformed;
  std::optional<int64_t> id;  // the client wants a reply under this number
  std::string event;
  boost::json::value data;  // null where absent
  Credentials credentials;
  size_t attachments = 0;
  FramePtr answer;         // of kAnswered and kMalformed
  std::string_view fault;  // a literal
};

// How a session's events, answers and commands look on the wire. A dialect holds no state of a
// session: entries, welcomes and results go in, frames come out, and client bytes become the same
// commands whatever the dialect. Nothing in shards, log or rooms knows which one a session speaks.
//
// A frame that a dialect doesn't have is null. Immutable; any thread, but the frames belong to the
// calling shard.
class Dialect {
 public:
  using Frames = absl::InlinedVector<FramePtr, 2>;

  virtual ~Dialect() = default;

  virtual DialectId id() const = 0;
  virtual const Conduct& conduct() const = 0;

  // The frame of an event, the same for every recipient. `epoch` is the log's.
  virtual FramePtr Event(const EntryPtr& entry, std::string_view epoch) const = 0;

  // Right after the upgrade, before anybody is known. May be null.
  virtual FramePtr Open(const Greeting& greeting) const = 0;
  // The client is let in.
  virtual Frames Hello(const Welcome& welcome) const = 0;
  // The client is not let in; the connection closes after it. May be null: the close code says it.
  virtual FramePtr Refuse(ConnectRefusal why) const = 0;
  // From here on events are live. May be null.
  virtual FramePtr Live(const Cursor& cursor) const = 0;
  // Goes out every ping interval.
  virtual FramePtr Heartbeat() const = 0;
  // The application's own ping after a time without any frame, for clients that cannot see
  // protocol pings. May be null.
  virtual FramePtr Ping(const Cursor& cursor) const = 0;
  // The answer to the command with this id.
  virtual FramePtr Reply(int64_t id, const CommandResult& result) const = 0;
  // What a client that was let in hears before its connection is closed with `code`.
  virtual Frames Farewell(uint16_t code, std::string_view reason) const = 0;

  virtual ClientMessage Decode(std::string_view text) const = 0;
};

}  // namespace msab

#endif  // MSAB_PROTOCOL_DIALECT_H_
