#include "server/rooms/join.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/contract/cursor.h"
#include "server/rooms/errors.h"

namespace msab {

RoomJoin::RoomJoin(Dispatcher& dispatcher, PendingJoins& pending, size_t max_rooms)
    : dispatcher_(dispatcher), pending_(pending), max_rooms_(max_rooms) {}

bool RoomJoin::IsOpen(std::string_view room) {
  return !room.starts_with("private-") && !room.starts_with("presence-");
}

void RoomJoin::Run(const std::shared_ptr<Caller>& caller, const Data& data, CommandReply reply) {
  const std::string& room = data.room_id();
  if (!IsOpen(room)) {
    return reply(Refusal("ROOM_FORBIDDEN", absl::StrCat("room ", room, " is not open to you")));
  }
  if (!caller->InRoom(room) &&
      caller->room_count() + pending_.EnteringCount(*caller) >= max_rooms_) {
    // A limit like the others, so their code; but time alone won't help, so no retryAfter. Not
    // ROOM_FORBIDDEN: the room itself is open to this client once it left another.
    return reply(Refusal("RATE_LIMITED", absl::StrCat("this connection is in ", max_rooms_,
                                                      " rooms, the most it may: leave one first")));
  }
  // Two may answer, one does: the join at its place, or this call if it was refused.
  const auto answer = std::make_shared<CommandReply>(std::move(reply));
  pending_.Begin(*caller, room);
  const absl::Status joined = dispatcher_.Join(
      caller->connection_id(), room, [this, caller, room, answer](const Dispatcher::Joined& at) {
        caller->EnterRoom(room, at.cursor);
        (*answer)(absl::StrCat(R"({"roomId":")", room, R"(","participants":)", at.participants_json,
                               R"(,"cursor":")", Cursor{dispatcher_.epoch(), at.cursor}.ToString(),
                               "\"}"));
        // The session may have ended between the join and its place; then it enters nothing.
        if (caller->InRoom(room)) {
          pending_.Settle(*caller, room);
        } else {
          pending_.Abandon(*caller, room, NotInRoom(room));
        }
      });
  if (!joined.ok()) {
    (*answer)(NotDispatched(joined));
    pending_.Settle(*caller, room);
  }
}

}  // namespace msab
