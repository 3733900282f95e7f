#ifndef MSAB_DISPATCH_COMMAND_HANDLER_H_
#define MSAB_DISPATCH_COMMAND_HANDLER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "boost/json/value.hpp"
#include "server/contract/audience.h"
#include "server/contract/command.h"
#include "server/registry/registry.h"

namespace msab {

// A session as client commands see it. Held by shared_ptr, because an answer may come after the
// connection is gone (everything is then a no-op). Its shard's thread only, but for the constants.
class Caller {
 public:
  virtual ~Caller() = default;

  // Constant after construction; any thread
  virtual const std::string& connection_id() const = 0;
  virtual UserId user() const = 0;
  virtual int shard() const = 0;

  // Shard thread only
  // False before the session begins and once it is over. Ask it where time has passed since the
  // command came: another session may have taken up the connection id.
  virtual bool admitted() const = 0;
  // One JSON object: {"id":42,"name":"…","avatar":…,…}.
  virtual const std::string& profile() const = 0;
  virtual bool InRoom(std::string_view room) const = 0;
  virtual size_t room_count() const = 0;
  // From here on the session gets the room's entries. Called at the join's place in the order,
  // which is behind the number `since`.
  virtual void EnterRoom(const std::string& room, uint64_t since) = 0;
  virtual void ExitRoom(std::string_view room) = 0;
};

// Answers a command: exactly once, on the caller's shard thread, at its place in the order.
using CommandReply = absl::AnyInvocable<void(CommandResult)>;

// Of the rooms that a client names at connect, or was in.
struct AuthorizedRooms {
  std::vector<AllowedRoom> allowed;
  // Of some of the others nobody could say whether the user may be there: no refusal, and it may be
  // otherwise in a moment.
  bool undecided = false;
};

// Carries out what clients ask for. Declared here so that sessions know no rooms; rooms/
// implements it. Called on shard threads; thread-safe.
class CommandHandler {
 public:
  virtual ~CommandHandler() = default;

  // `event` and `data` live until Handle returns. `data` may be of any JSON kind; absent is null.
  virtual void Handle(const std::shared_ptr<Caller>& caller, std::string_view event,
                      const boost::json::value& data, CommandReply reply) = 0;

  // Which of `rooms` (unchecked) this user may be in, in their order, each once, at most
  // limits.rooms_per_connection. `done` runs once, on this thread or another.
  virtual void AuthorizeRooms(UserId user, const std::string& connection_id,
                              std::vector<std::string> rooms,
                              absl::AnyInvocable<void(AuthorizedRooms)> done) = 0;
};

}  // namespace msab

#endif  // MSAB_DISPATCH_COMMAND_HANDLER_H_
