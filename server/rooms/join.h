#ifndef MSAB_ROOMS_JOIN_H_
#define MSAB_ROOMS_JOIN_H_

#include <cstddef>
#include <memory>
#include <string>

#include "msab/v1/client.pb.h"
#include "server/dispatch/command_handler.h"
#include "server/dispatch/dispatcher.h"
#include "server/rooms/pending_joins.h"
#include "server/rooms/room_authorizer.h"

namespace msab {

// room:join. The answer is a snapshot at the join's place in the stream: every event of the room
// that the connection gets has a greater cursor. Joining a room again gives a fresh snapshot and
// tells nobody. Where the application has a say, its word comes first; what the client asks of the
// room meanwhile waits.
//
// Owned by Commands. Any thread.
class RoomJoin {
 public:
  using Data = v1::RoomJoinCommand;

  // All outlive this. `max_rooms`: per connection.
  RoomJoin(Dispatcher& dispatcher, PendingJoins& pending, RoomAuthorizer& authorizer,
           size_t max_rooms);

  // Caller's shard thread, in turn (PendingJoins::InTurn).
  void Run(const std::shared_ptr<Caller>& caller, const Data& data, CommandReply reply);

 private:
  // The room's verdict is there. Caller's shard thread.
  void Enter(const std::shared_ptr<Caller>& caller, const std::string& room,
             const RoomVerdict& verdict, CommandReply reply);

  // Constant after construction
  Dispatcher& dispatcher_;
  PendingJoins& pending_;
  RoomAuthorizer& authorizer_;
  const size_t max_rooms_;
};

}  // namespace msab

#endif  // MSAB_ROOMS_JOIN_H_
