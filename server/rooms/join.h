#ifndef MSAB_ROOMS_JOIN_H_
#define MSAB_ROOMS_JOIN_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "msab/v1/client.pb.h"
#include "server/dispatch/command_handler.h"
#include "server/dispatch/dispatcher.h"
#include "server/rooms/pending_joins.h"

namespace msab {

// room:join. The answer is a snapshot at the join's place in the stream: every event of the room
// that the connection gets has a greater cursor. Joining a room again gives a fresh snapshot and
// tells nobody.
//
// Owned by Commands. Any thread.
class RoomJoin {
 public:
  using Data = v1::RoomJoinCommand;

  // Both outlive this. `max_rooms`: per connection.
  RoomJoin(Dispatcher& dispatcher, PendingJoins& pending, size_t max_rooms);

  // Rooms named private-… and presence-… are open to nobody but by the application's word.
  static bool IsOpen(std::string_view room);

  // Caller's shard thread, in turn (PendingJoins::InTurn).
  void Run(const std::shared_ptr<Caller>& caller, const Data& data, CommandReply reply);

 private:
  // Constant after construction
  Dispatcher& dispatcher_;
  PendingJoins& pending_;
  const size_t max_rooms_;
};

}  // namespace msab

#endif  // MSAB_ROOMS_JOIN_H_
