#include "server/rooms/leave.h"

namespace msab {

void RoomLeave::Run(const std::shared_ptr<Caller>& caller, const Data& data, CommandReply reply) {
  const std::string& room = data.room_id();
  // Asked of the caller first: a session that is over has no say about the connection that may
  // have taken up its id.
  if (caller->InRoom(room)) {
    caller->ExitRoom(room);
    dispatcher_.Leave(caller->connection_id(), room);
  }
  reply("{}");
}

}  // namespace msab
