#ifndef MSAB_ROOMS_COMMANDS_H_
#define MSAB_ROOMS_COMMANDS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/contract/catalog.h"
#include "server/contract/command_rules.h"
#include "server/dispatch/command_handler.h"
#include "server/dispatch/dispatcher.h"
#include "server/dispatch/event_intake.h"
#include "server/rooms/chat.h"
#include "server/rooms/command_counters.h"
#include "server/rooms/gift.h"
#include "server/rooms/gift_gateway.h"
#include "server/rooms/join.h"
#include "server/rooms/leave.h"
#include "server/rooms/pending_joins.h"
#include "server/rooms/room_authorizer.h"

namespace msab {

// What clients may ask of rooms: join, leave, chat, give. Checks a command's data against the
// contract, then hands it on, in the order in which a client sent its commands.
//
// Owned by the composition root: in use until the shards' threads have ended, and destroyed before
// the shards are, because what it has yet to answer holds their sessions.
// Any thread; a caller's commands come from its shard's thread only.
class Commands final : public CommandHandler {
 public:
  struct Options {
    size_t rooms_per_connection = 50;  // limits.rooms_per_connection
    ChatSend::Options chat;
  };

  // What it leans on; all of it outlives this.
  struct House {
    const Catalog& catalog;
    const Clock& clock;
    Dispatcher& dispatcher;
    EventIntake& intake;
    GiftGateway& gifts;
    RoomAuthorizer& authorizer;
  };
  Commands(const House& house, Options options);

  void Handle(const std::shared_ptr<Caller>& caller, std::string_view event,
              const boost::json::value& data, CommandReply reply) override;

  // Answers on the calling thread where no application has to be asked. A room that it refuses,
  // or doesn't answer for in time, is left out.
  void AuthorizeRooms(UserId user, const std::string& connection_id, std::vector<std::string> rooms,
                      absl::AnyInvocable<void(AuthorizedRooms)> done) override;

  const CommandCounters& counters() const { return counters_; }

 private:
  // Checks `data` and runs `command` with it, in the caller's order.
  template <typename Command>
  void Run(Command& command, const std::shared_ptr<Caller>& caller, const boost::json::value& data,
           CommandReply reply);

  // Constant after construction
  const CommandRules& rules_;
  RoomAuthorizer& authorizer_;
  const size_t max_rooms_;

  // Any thread
  CommandCounters counters_;
  PendingJoins pending_;
  RoomJoin join_;
  RoomLeave leave_;
  ChatSend chat_;
  GiftSend gift_;
};

}  // namespace msab

#endif  // MSAB_ROOMS_COMMANDS_H_
