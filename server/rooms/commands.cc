#include "server/rooms/commands.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "server/rooms/errors.h"

namespace msab {

Commands::Commands(const Catalog& catalog, const Clock& clock, Dispatcher& dispatcher,
                   GiftGateway& gateway, Options options)
    : rules_(catalog.commands()),
      max_rooms_(options.rooms_per_connection),
      join_(dispatcher, pending_, options.rooms_per_connection),
      leave_(dispatcher),
      chat_(catalog, clock, dispatcher, options.chat),
      gift_(catalog, clock, dispatcher, gateway) {}

void Commands::Handle(const std::shared_ptr<Caller>& caller, std::string_view event,
                      const boost::json::value& data, CommandReply reply) {
  const size_t command = CommandCounters::CommandIndex(event);
  CommandReply counted = [this, command, reply = std::move(reply)](CommandResult result) mutable {
    counters_.Count(command, result);
    reply(std::move(result));
  };
  if (event == "room:join") return Run(join_, caller, data, std::move(counted));
  if (event == "room:leave") return Run(leave_, caller, data, std::move(counted));
  if (event == "chat:message") return Run(chat_, caller, data, std::move(counted));
  if (event == "gift:send") return Run(gift_, caller, data, std::move(counted));
  counted(Refusal("UNKNOWN_EVENT", "no such command"));
}

template <typename Command>
void Commands::Run(Command& command, const std::shared_ptr<Caller>& caller,
                   const boost::json::value& data, CommandReply reply) {
  typename Command::Data checked;
  std::vector<Violation> violations = rules_.Parse(data, &checked);
  if constexpr (requires { Command::Check(checked, violations); }) {
    Command::Check(checked, violations);
  }
  if (!violations.empty()) return reply(InvalidPayload(violations));
  const std::string room = checked.room_id();
  pending_.InTurn(*caller, room, std::move(reply),
                  [&command, caller, checked = std::move(checked)](CommandReply answer) {
                    command.Run(caller, checked, std::move(answer));
                  });
}

void Commands::AuthorizeRooms(UserId /*user*/, std::vector<std::string> rooms,
                              absl::AnyInvocable<void(std::vector<std::string>)> done) {
  std::vector<std::string> allowed;
  absl::flat_hash_set<std::string> seen;
  for (std::string& room : rooms) {
    if (allowed.size() == max_rooms_) break;
    if (!IsRoomId(room) || !RoomJoin::IsOpen(room) || !seen.insert(room).second) continue;
    allowed.push_back(std::move(room));
  }
  done(std::move(allowed));
}

}  // namespace msab
