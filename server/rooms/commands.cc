#include "server/rooms/commands.h"

#include <atomic>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "server/rooms/errors.h"

namespace msab {
namespace {

// Rooms named at connect, until there is a verdict on each of them. Judge on any thread, the rest
// on the asker's.
class Sifting {
 public:
  using Done = absl::AnyInvocable<void(AuthorizedRooms)>;
  struct Room {
    std::string id;
    RoomVerdict verdict;
  };

  // `count`: rooms at most.
  Sifting(size_t count, Done done) : done_(std::move(done)) { rooms_.reserve(count); }

  // A room that may get in; it stays where it is.
  Room& Add(std::string id) {
    missing_.fetch_add(1);
    return rooms_.emplace_back(Room{std::move(id), {}});
  }
  // The last one added doesn't, as is known already.
  void DropLast() {
    missing_.fetch_sub(1);
    rooms_.pop_back();
  }
  size_t size() const { return rooms_.size(); }

  void Judge(Room& room, const RoomVerdict& verdict) {
    room.verdict = verdict;
    Finish();
  }

  // Once for whoever asks, when all is asked; with the last verdict it is over.
  void Finish() {
    if (missing_.fetch_sub(1) > 1) return;
    AuthorizedRooms rooms;
    for (Room& room : rooms_) {
      if (!room.verdict.refusal) {
        rooms.allowed.push_back({std::move(room.id), std::move(room.verdict.profile)});
      } else if (!room.verdict.forbidden()) {
        rooms.undecided = true;
      }
    }
    done_(std::move(rooms));
  }

 private:
  Done done_;
  std::vector<Room> rooms_;
  std::atomic<size_t> missing_{1};  // verdicts, and the asker's own part
};

}  // namespace

Commands::Commands(const House& house, Options options)
    : rules_(house.catalog.commands()),
      authorizer_(house.authorizer),
      max_rooms_(options.rooms_per_connection),
      join_(house.dispatcher, pending_, house.authorizer, options.rooms_per_connection),
      leave_(house.dispatcher),
      chat_(house.catalog, house.clock, house.dispatcher, options.chat),
      gift_(house.catalog, house.clock, house.dispatcher, house.intake, house.gifts) {}

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

void Commands::AuthorizeRooms(UserId user, const std::string& connection_id,
                              std::vector<std::string> rooms,
                              absl::AnyInvocable<void(AuthorizedRooms)> done) {
  const auto sifting = std::make_shared<Sifting>(rooms.size(), std::move(done));
  absl::flat_hash_set<std::string> seen;
  for (const std::string& id : rooms) {
    if (sifting->size() == max_rooms_) break;
    if (!IsRoomId(id) || !seen.insert(id).second) continue;
    Sifting::Room& room = sifting->Add(id);
    const std::optional<RoomVerdict> known = authorizer_.Ask(
        user, connection_id, id,
        [sifting, &room](const RoomVerdict& verdict) { sifting->Judge(room, verdict); });
    if (known && known->refusal) {
      sifting->DropLast();
    } else if (known) {
      sifting->Judge(room, *known);
    }
  }
  sifting->Finish();
}

}  // namespace msab
