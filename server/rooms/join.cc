#include "server/rooms/join.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/contract/cursor.h"
#include "server/rooms/errors.h"

namespace msab {

RoomJoin::RoomJoin(Dispatcher& dispatcher, PendingJoins& pending, RoomAuthorizer& authorizer,
                   size_t max_rooms)
    : dispatcher_(dispatcher), pending_(pending), authorizer_(authorizer), max_rooms_(max_rooms) {}

void RoomJoin::Run(const std::shared_ptr<Caller>& caller, const Data& data, CommandReply reply) {
  const std::string& room = data.room_id();
  if (!caller->InRoom(room) &&
      caller->room_count() + pending_.EnteringCount(*caller) >= max_rooms_) {
    // A limit like the others, so their code; but time alone won't help, so no retryAfter. Not
    // ROOM_FORBIDDEN: the room itself is open to this client once it left another.
    return reply(Refusal("RATE_LIMITED", absl::StrCat("this connection is in ", max_rooms_,
                                                      " rooms, the most it may: leave one first")));
  }
  pending_.Begin(*caller, room);
  // Two may answer, one does: whoever knows the verdict first.
  const auto answer = std::make_shared<CommandReply>(std::move(reply));
  const std::optional<RoomVerdict> known = authorizer_.Ask(
      caller->user(), caller->connection_id(), room,
      [this, caller = caller, room = room, answer = answer](const RoomVerdict& verdict) mutable {
        const int shard = caller->shard();
        // The references go with the task: the session must not end on the thread that decided.
        dispatcher_.Post(shard, [this, caller = std::move(caller), room = std::move(room), verdict,
                                 answer = std::move(answer)] {
          Enter(caller, room, verdict, std::move(*answer));
        });
      });
  if (known) Enter(caller, room, *known, std::move(*answer));
}

void RoomJoin::Enter(const std::shared_ptr<Caller>& caller, const std::string& room,
                     const RoomVerdict& verdict, CommandReply reply) {
  if (verdict.refusal) {
    reply(*verdict.refusal);
    return pending_.Settle(*caller, room);
  }
  // Its connection id may be another session's by now.
  if (!caller->admitted()) {
    reply(NotInRoom(room));
    return pending_.Abandon(*caller, room, NotInRoom(room));
  }
  // Two may answer, one does: the join at its place, or this call if it was refused.
  const auto answer = std::make_shared<CommandReply>(std::move(reply));
  const absl::Status joined = dispatcher_.Join(
      caller->connection_id(), room,
      [this, caller, room, answer](const Dispatcher::Joined& at) {
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
      },
      verdict.profile);
  if (!joined.ok()) {
    (*answer)(NotDispatched(joined));
    pending_.Settle(*caller, room);
  }
}

}  // namespace msab
