// Rooms: joining at one place in the order, and who is told of whom.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

constexpr char kRoom[] = R"({"roomId":"42"})";

std::string Level(int64_t number) {
  return absl::StrCat(R"({"room_level_up":{"room_id":42,"new_level":)", number,
                      R"(,"new_room_xp":"1"}})");
}

std::string User(int64_t id) {
  return absl::StrCat(R"({"id":)", id, R"(,"name":"User )", id, R"(","avatar":null})");
}

std::string Joined(int64_t id) {
  return absl::StrCat(R"({"roomId":"42","userId":)", id, R"(,"user":)", User(id), "}");
}

std::string Left(int64_t id) { return absl::StrCat(R"({"roomId":"42","userId":)", id, "}"); }

std::set<int64_t> Ids(const Json& participants) {
  std::set<int64_t> ids;
  for (const Json& user : participants.as_array()) ids.insert(Number(user, "id"));
  EXPECT_EQ(ids.size(), participants.as_array().size()) << "each user once";
  return ids;
}

class RoomTest : public RelayTest {
 protected:
  // What one client got as (event, data) pairs, without the fence.
  std::vector<std::pair<std::string, Json>> EventsOf(Client& client) {
    std::vector<std::pair<std::string, Json>> events;
    const Received received = Fence({&client});
    for (const Json& frame : received[0]) {
      EXPECT_EQ(Text(frame, "room"), "42") << frame;
      EXPECT_FALSE(Text(frame, "cursor").empty()) << frame;
      events.emplace_back(Text(frame, "event"), At(frame, "data"));
    }
    return events;
  }

  using Events = std::vector<std::pair<std::string, Json>>;
};

TEST_F(RoomTest, AnswersAJoinWithWhoIsThere) {
  Client first = Connect(101);
  const Json answer = first.Ask("room:join", kRoom);
  EXPECT_EQ(answer, Json(JsonObject{{"roomId", "42"},
                                    {"participants", JsonArray{ParseJson(User(101))}},
                                    {"cursor", At(answer, "cursor")}}));
  Client second = Connect(102);
  const Json both = second.Ask("room:join", R"({"roomId":42})");
  EXPECT_EQ(Text(both, "roomId"), "42");
  EXPECT_EQ(Ids(At(both, "participants")), (std::set<int64_t>{101, 102}));
  EXPECT_EQ(EventsOf(first), (Events{{"room:userJoined", ParseJson(Joined(102))}}));
  EXPECT_EQ(EventsOf(second), Events{}) << "nobody is told of their own joining";
}

TEST_F(RoomTest, TellsOfUsersNotOfConnections) {
  Client watcher = Connect(101, {"42"});
  Client phone = Connect(102);
  Client laptop = Connect(102);
  phone.Ask("room:join", kRoom);
  laptop.Ask("room:join", kRoom);
  EXPECT_EQ(EventsOf(watcher), (Events{{"room:userJoined", ParseJson(Joined(102))}}));
  phone.Ask("room:leave", kRoom);
  EXPECT_EQ(EventsOf(watcher), Events{}) << "the laptop is still there";
  EXPECT_EQ(laptop.Ask("room:leave", kRoom), ParseJson("{}"));
  EXPECT_EQ(EventsOf(watcher), (Events{{"room:userLeft", ParseJson(Left(102))}}));
  // Out of the room: its events don't come any more.
  Emit(Level(1));
  ExpectNothing({&phone, &laptop});
}

TEST_F(RoomTest, JoiningAgainIsHarmless) {
  Client watcher = Connect(101, {"42"});
  Client client = Connect(102, {"42"});
  EXPECT_EQ(EventsOf(watcher), (Events{{"room:userJoined", ParseJson(Joined(102))}}));
  const Json again = client.Ask("room:join", kRoom);
  EXPECT_EQ(Ids(At(again, "participants")), (std::set<int64_t>{101, 102}));
  EXPECT_EQ(EventsOf(watcher), Events{});
  const Answer answer = Emit(Level(1));
  EXPECT_EQ(answer.connections, 2);
  EXPECT_EQ(EventsOf(client).size(), 1U) << "once, though joined twice";
}

TEST_F(RoomTest, LeavingTwiceTellsOnce) {
  Client watcher = Connect(101, {"42"});
  Client client = Connect(102, {"42"});
  client.Ask("room:leave", kRoom);
  client.Command("room:leave", kRoom);
  EXPECT_EQ(EventsOf(watcher), (Events{{"room:userJoined", ParseJson(Joined(102))},
                                       {"room:userLeft", ParseJson(Left(102))}}));
}

TEST_F(RoomTest, AJoinHasOnePlaceInTheOrder) {
  Start();
  std::atomic<bool> stop{false};
  auto emitter = std::async(std::launch::async, [&] {
    const auto way = OpenDoor(DoorKind::kGrpc, relay());
    std::map<uint64_t, int64_t> number_at;
    for (int64_t number = 0; !stop; ++number) {
      const Answer answer = way->Emit(Level(number));
      EXPECT_TRUE(answer.ok());
      number_at[Sequence(answer.cursor)] = number;
    }
    return number_at;
  });
  struct Seen {
    uint64_t joined_at;
    std::vector<Json> frames;
  };
  std::vector<Seen> seen;
  for (int64_t user = 101; user < 121; ++user) {
    Client client = Connect(user);
    const Json answer = client.Ask("room:join", kRoom);
    std::vector<Json> frames;
    while (frames.size() < 10) {
      frames.push_back(client.Next());
      if (frames.back().is_null()) break;
    }
    seen.push_back({Sequence(Text(answer, "cursor")), std::move(frames)});
    client.socket().Drop();
  }
  stop = true;
  const std::map<uint64_t, int64_t> number_at = emitter.get();
  for (const Seen& one : seen) {
    // Exactly the room's events after the join's cursor, from the first.
    auto expected = number_at.upper_bound(one.joined_at);
    for (const Json& frame : one.frames) {
      const uint64_t sequence = Sequence(Text(frame, "cursor"));
      EXPECT_GT(sequence, one.joined_at);
      if (Text(frame, "event") != "room.level_up") continue;
      ASSERT_NE(expected, number_at.end());
      EXPECT_EQ(sequence, expected->first);
      EXPECT_EQ(Number(At(frame, "data"), "new_level"), expected->second);
      ++expected;
    }
  }
}

TEST_F(RoomTest, ASnapshotAndWhatFollowsAreTheWholeTruth) {
  constexpr int kUsers = 24;
  std::vector<Client> clients;
  for (int64_t user = 101; user < 101 + kUsers; ++user) clients.push_back(Connect(user));
  // All at once, from several threads; every third leaves again.
  std::vector<Json> answers(kUsers);
  std::vector<std::future<void>> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.push_back(std::async(std::launch::async, [&, thread] {
      for (int i = thread; i < kUsers; i += 4) {
        answers[i] = clients[i].Ask("room:join", kRoom);
        if (i % 3 == 0) clients[i].Ask("room:leave", kRoom);
      }
    }));
  }
  for (auto& thread : threads) thread.get();
  std::set<int64_t> there;
  for (int i = 0; i < kUsers; ++i) {
    if (i % 3 != 0) there.insert(101 + i);
  }
  for (int i = 0; i < kUsers; ++i) {
    if (i % 3 == 0) continue;
    std::set<int64_t> known = Ids(At(answers[i], "participants"));
    EXPECT_TRUE(known.contains(101 + i));
    const Events events = EventsOf(clients[i]);
    for (const auto& [event, data] : events) {
      const int64_t user = Number(data, "userId");
      if (event == "room:userJoined") {
        EXPECT_TRUE(known.insert(user).second) << user << " joined twice";
      } else {
        EXPECT_EQ(event, "room:userLeft");
        EXPECT_EQ(known.erase(user), 1U) << user << " was not there";
      }
    }
    EXPECT_EQ(known, there) << "client " << i;
  }
}

TEST_F(RoomTest, ALostConnectionLeavesOnlyAfterTheGrace) {
  Start({.settings = {{"rooms.leave_grace", "1s"}}});
  Client watcher = Connect(101, {"42"});
  Client returning = Connect(102, {"42"});
  Client gone = Connect(103, {"42"});
  EventsOf(watcher);
  const std::string cursor = door().GetCursor().cursor;
  returning.socket().Drop();
  // Gone for the recipients at once, still a participant until the grace is over.
  ASSERT_TRUE(Await([this] { return Emit(Level(1)).connections == 2; }));
  EXPECT_EQ(Emit(Level(1)).users_targeted, 3);
  Client back = Open({.token = UserToken(102), .cursor = cursor, .rooms = {"42"}});
  EXPECT_EQ(At(back.Welcome(), "recovered"), Json(true));
  gone.socket().Drop();
  // The user who comes back within the grace was never away; the other one leaves.
  std::vector<Json> told;
  do {
    told.push_back(watcher.Next());
    ASSERT_FALSE(told.back().is_null());
  } while (Text(told.back(), "event") == "room.level_up");
  EXPECT_EQ(Text(told.back(), "event"), "room:userLeft");
  EXPECT_EQ(At(told.back(), "data"), ParseJson(Left(103)));
  EXPECT_EQ(EventsOf(watcher), Events{});
  EXPECT_EQ(Emit(Level(2)).users_targeted, 2);
}

TEST_F(RoomTest, NamedAtConnectTheyAreJoinedWithoutACursorToo) {
  Client watcher = Connect(101, {"42"});
  Client client = Open({.token = UserToken(102), .rooms = {"42", "7", "42"}});
  EXPECT_EQ(At(client.Welcome(), "rooms"), ParseJson(R"(["42","7"])"));
  EXPECT_TRUE(client.Replay().empty());
  EXPECT_EQ(EventsOf(watcher), (Events{{"room:userJoined", ParseJson(Joined(102))}}));
  EXPECT_EQ(Emit(Level(1)).connections, 2);
}

TEST_F(RoomTest, PrivateRoomsNeedSomebodyWhoDecides) {
  Client client = Open({.token = UserToken(101), .rooms = {"private-x", "42", "presence-y"}});
  EXPECT_EQ(At(client.Welcome(), "rooms"), ParseJson(R"(["42"])"));
  EXPECT_EQ(client.Refused("room:join", R"({"roomId":"private-x"})"), "ROOM_FORBIDDEN");
  EXPECT_EQ(client.Refused("room:join", R"({"roomId":"presence-y"})"), "ROOM_FORBIDDEN");
  EXPECT_EQ(Emit(R"({"target":{"user_in_room":{"user_id":101,"room_id":"private-x"}},)"
                 R"("agency_member_kicked":{"agency_id":1,"agency_name":"A"}})")
                .connections,
            0);
}

TEST_F(RoomTest, NothingOfARefusedRoomIsReplayed) {
  const std::string cursor = door().GetCursor().cursor;
  Emit(R"({"chat_message":{"id":"m","roomId":"private-x","userId":1,"userName":"A",)"
       R"("content":"secret","type":"text","timestamp":1}})");
  Client client = Open({.token = UserToken(101), .cursor = cursor, .rooms = {"private-x"}});
  EXPECT_EQ(At(client.Welcome(), "rooms"), ParseJson("[]"));
  EXPECT_EQ(At(client.Welcome(), "recovered"), Json(true));
  EXPECT_TRUE(client.Replay().empty());
}

TEST_F(RoomTest, RefusesWhatIsNoRoom) {
  Client client = Connect(101);
  for (const std::string& data :
       {std::string("{}"), std::string("null"), std::string("[]"), std::string("42"),
        std::string(R"({"roomId":""})"), std::string(R"({"roomId":"a b"})"),
        std::string(R"({"roomId":"ü"})"), std::string(R"({"roomId":null})"),
        std::string(R"({"roomId":true})"), std::string(R"({"roomId":1.5})"),
        std::string(R"({"roomId":["42"]})"),
        absl::StrCat(R"({"roomId":")", std::string(65, 'a'), "\"}")}) {
    EXPECT_EQ(client.Refused("room:join", data), "INVALID_PAYLOAD") << data;
    EXPECT_EQ(client.Refused("room:leave", data), "INVALID_PAYLOAD") << data;
  }
  client.Ask("room:join", absl::StrCat(R"({"roomId":")", std::string(64, 'a'), "\"}"));
  client.Ask("room:join", R"({"roomId":"Az09_:.-"})");
}

TEST_F(RoomTest, AConnectionIsInSoManyRooms) {
  Start({.settings = {{"limits.rooms_per_connection", "3"}}});
  Client client = Connect(101, {"1", "2"});
  client.Ask("room:join", R"({"roomId":"3"})");
  EXPECT_EQ(client.Refused("room:join", R"({"roomId":"4"})"), "RATE_LIMITED");
  client.Ask("room:join", R"({"roomId":"3"})");  // again: no further room
  client.Ask("room:leave", R"({"roomId":"1"})");
  client.Ask("room:join", R"({"roomId":"4"})");
}

TEST_F(RoomTest, AnEmptyRoomIsForgottenAndStartsAfresh) {
  Client client = Connect(101, {"42"});
  client.Ask("room:leave", kRoom);
  EXPECT_EQ(Emit(Level(1)).users_targeted, 0);
  Client second = Connect(102);
  EXPECT_EQ(Ids(At(second.Ask("room:join", kRoom), "participants")), (std::set<int64_t>{102}));
}

}  // namespace
}  // namespace msab::e2e
