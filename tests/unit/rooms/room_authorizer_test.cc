#include "server/rooms/room_authorizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "boost/json/parse.hpp"
#include "tests/unit/rooms/rooms_fixture.h"

namespace msab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Kind = WebhookResult::Kind;

class RoomAuthorizerTest : public RoomsFixture {
 protected:
  RoomAuthorizerTest() : webhook(ConnectApplication()) {}

  // Lets this user into a room, as the application would.
  void Let(Client& client, const std::string& room, const std::string& data = "{}") {
    const size_t place = webhook.dones.size();
    Join(client, room);
    if (webhook.dones.size() > place) webhook.Accept(place, data);
    Run();
    ASSERT_TRUE(client.caller->InRoom(room));
  }
  std::vector<std::string> Authorize(UserId user, std::vector<std::string> rooms) {
    std::vector<std::string> allowed;
    bool done = false;
    commands_->AuthorizeRooms(user, "c9", std::move(rooms), [&](const AuthorizedRooms& given) {
      done = true;
      for (const AllowedRoom& room : given.allowed) {
        allowed.push_back(room.profile == nullptr ? room.room : room.room + " " + *room.profile);
      }
    });
    EXPECT_TRUE(done);
    return allowed;
  }

  FakeWebhook& webhook;
};

TEST_F(RoomAuthorizerTest, AJoinWaitsForTheApplication) {
  Client& anna = Connect("c1", 1);
  Join(anna, "private-1");
  Run();
  EXPECT_THAT(anna.journal, IsEmpty());
  ASSERT_THAT(webhook.commands, SizeIs(1));
  EXPECT_EQ(webhook.commands[0].type, "room:join");
  EXPECT_EQ(webhook.commands[0].user, 1);
  EXPECT_EQ(webhook.commands[0].connection_id, "c1");
  EXPECT_EQ(webhook.commands[0].data, R"({"roomId":"private-1"})");
  webhook.Accept(0);
  Run();
  EXPECT_EQ(anna.json(0).at("roomId").as_string(), "private-1");
  EXPECT_TRUE(anna.caller->InRoom("private-1"));
}

TEST_F(RoomAuthorizerTest, WhatIsAskedOfTheRoomMeanwhileWaitsItsTurn) {
  Client& anna = Connect("c1", 1);
  Join(anna, "private-1");
  Chat(anna, "private-1");
  Leave(anna, "private-1");
  Join(anna, "lobby");
  Run();
  EXPECT_THAT(anna.journal, SizeIs(1)) << "other rooms don't wait";
  webhook.Accept(0);
  Run();
  EXPECT_THAT(anna.answers, SizeIs(4));
  EXPECT_FALSE(anna.caller->InRoom("private-1"));
  EXPECT_EQ(Reach("private-1"), 0U);
}

TEST_F(RoomAuthorizerTest, Refusals) {
  Client& anna = Connect("c1", 1);
  for (int i = 0; i < 4; ++i) Join(anna, "private-" + std::to_string(i));
  Chat(anna, "private-0");
  webhook.Reject(0, "NOT_A_MEMBER", "members only");
  webhook.Fail(1, Kind::kUnavailable);
  webhook.Fail(2, Kind::kFailed);
  webhook.Fail(3, Kind::kOverloaded);
  Run();
  EXPECT_THAT(anna.journal, ElementsAre("ROOM_FORBIDDEN", "NOT_IN_ROOM", "UPSTREAM_UNAVAILABLE",
                                        "INTERNAL", "RATE_LIMITED"));
  EXPECT_EQ(anna.error(0).message, "members only");
  EXPECT_EQ(boost::json::parse(anna.error(0).details_json),
            boost::json::parse(R"({"code":"NOT_A_MEMBER","reason":"members only"})"));
  EXPECT_EQ(anna.error(4).retry_after_ms, 1'000);
}

TEST_F(RoomAuthorizerTest, AYesIsRememberedForAMinute) {
  Client& anna = Connect("c1", 1);
  Let(anna, "private-1");
  Leave(anna, "private-1");
  clock_.Advance(59'999);
  Join(anna, "private-1");
  Run();
  EXPECT_TRUE(anna.caller->InRoom("private-1"));
  EXPECT_THAT(webhook.commands, SizeIs(1));
  Leave(anna, "private-1");
  clock_.Advance(1);
  Join(anna, "private-1");
  EXPECT_THAT(webhook.commands, SizeIs(2));
  // Of another user or room nothing is known.
  Client& ben = Connect("c2", 2);
  Join(ben, "private-1");
  Join(anna, "private-2");
  EXPECT_THAT(webhook.commands, SizeIs(4));
}

TEST_F(RoomAuthorizerTest, ANoIsNotRemembered) {
  Client& anna = Connect("c1", 1);
  Join(anna, "private-1");
  webhook.Reject(0, "NO", "");
  Run();
  Let(anna, "private-1");
  EXPECT_THAT(webhook.commands, SizeIs(2));
}

TEST_F(RoomAuthorizerTest, WhoAsksTheSameSharesTheAnswer) {
  Client& anna = Connect("c1", 1);
  Client& phone = Connect("c2", 1, 1);
  Join(anna, "private-1");
  Join(phone, "private-1");
  EXPECT_THAT(webhook.commands, SizeIs(1));
  webhook.Accept(0);
  Run();
  EXPECT_TRUE(anna.caller->InRoom("private-1"));
  EXPECT_TRUE(phone.caller->InRoom("private-1"));
}

TEST_F(RoomAuthorizerTest, MemoryIsBounded) {
  RoomAuthorizer authorizer(clock_, &webhook_, {.max_remembered = 3});
  for (int i = 0; i < 10; ++i) {
    authorizer.Ask(1, "c", "private-" + std::to_string(i), [](const RoomVerdict&) {});
    webhook.Accept(static_cast<size_t>(i));
  }
  EXPECT_EQ(authorizer.remembered(), 3U);
  EXPECT_TRUE(authorizer.Ask(1, "c", "private-9", [](const RoomVerdict&) {}));
  EXPECT_FALSE(authorizer.Ask(1, "c", "private-0", [](const RoomVerdict&) {}));
}

TEST_F(RoomAuthorizerTest, MemoryMayBeNone) {
  for (const RoomAuthorizer::Options& options :
       {RoomAuthorizer::Options{.remember_ms = 0}, RoomAuthorizer::Options{.max_remembered = 0}}) {
    RoomAuthorizer authorizer(clock_, &webhook_, options);
    authorizer.Ask(1, "c", "private-0", [](const RoomVerdict&) {});
    webhook.Accept(webhook.commands.size() - 1);
    EXPECT_EQ(authorizer.remembered(), 0U);
  }
}

TEST_F(RoomAuthorizerTest, ALateYesIsOnlyRemembered) {
  Client& anna = Connect("c1", 1);
  Join(anna, "private-1");
  webhook.Fail(0, Kind::kUnavailable);
  webhook.Accept(0, "{}", /*late=*/true);
  Run();
  EXPECT_THAT(anna.journal, ElementsAre("UPSTREAM_UNAVAILABLE"));
  Join(anna, "private-1");
  Run();
  EXPECT_TRUE(anna.caller->InRoom("private-1"));
}

TEST_F(RoomAuthorizerTest, OthersSeeWhomTheApplicationShows) {
  Client& anna = Connect("c1", 1);
  Client& ben = Connect("c2", 2);
  Let(anna, "presence-1", R"({"user":{"name":"Guest","avatar":null,"id":77}})");
  Let(ben, "presence-1", R"({"user":"nonsense"})");
  EXPECT_EQ(anna.events.back()->name, "room:userJoined");
  EXPECT_EQ(boost::json::parse(ben.data(0)).at("participants"),
            boost::json::parse(R"([{"name":"Guest","avatar":null,"id":1},)"
                               R"({"id":2,"name":"User 2","avatar":null}])"))
      << "the id is the session's, and without a user the token's claims stand";
  Let(anna, "lobby");
  Client& carl = Connect("c3", 3);
  Let(carl, "lobby");
  EXPECT_EQ(boost::json::parse(carl.data(0)).at("participants").at(0).at("name").as_string(),
            "User 1");
}

// A channel's answer in Laravel seldom knows of avatars.
TEST_F(RoomAuthorizerTest, WhatTheApplicationLeavesOutIsThereAllTheSame) {
  Client& anna = Connect("c1", 1);
  Let(anna, "presence-1", R"({"user":{"seat":3}})");
  EXPECT_EQ(anna.json(0).at("participants"),
            boost::json::parse(R"([{"id":1,"name":"1","avatar":null,"seat":3}])"));
}

TEST_F(RoomAuthorizerTest, AnotherJoinBringsWhatTheApplicationSaysNow) {
  Client& anna = Connect("c1", 1);
  Let(anna, "presence-1", R"({"user":{"id":1,"name":"Before"}})");
  clock_.Advance(60'000);
  Let(anna, "presence-1", R"({"user":{"id":1,"name":"After"}})");
  EXPECT_EQ(anna.json(1).at("participants").at(0).at("name").as_string(), "After");
}

TEST_F(RoomAuthorizerTest, ASessionThatEndedMeanwhileJoinsNothing) {
  Client& anna = Connect("c1", 1);
  Join(anna, "private-1");
  Chat(anna, "private-1");
  Disconnect(anna);
  // The id is another session's by now, which never asked.
  Client& again = Connect("c1", 1);
  webhook.Accept(0);
  Run();
  EXPECT_THAT(anna.journal, ElementsAre("NOT_IN_ROOM", "NOT_IN_ROOM"));
  EXPECT_FALSE(again.caller->InRoom("private-1"));
  EXPECT_EQ(Reach("private-1"), 0U);
}

TEST_F(RoomAuthorizerTest, RoomsUnderWayCountAsRooms) {
  Configure({.rooms_per_connection = 2, .chat = {}});
  Client& anna = Connect("c1", 1);
  Join(anna, "private-1");
  Join(anna, "private-2");
  Join(anna, "private-3");
  EXPECT_THAT(anna.journal, ElementsAre("RATE_LIMITED"));
  EXPECT_THAT(webhook.commands, SizeIs(2));
}

TEST_F(RoomAuthorizerTest, RoomsNamedAtConnectAreAskedFor) {
  std::vector<std::string> allowed;
  int calls = 0;
  commands_->AuthorizeRooms(1, "c1", {"private-1", "a", "private-2", "private-3", "a", "!"},
                            [&](const AuthorizedRooms& rooms) {
                              ++calls;
                              EXPECT_FALSE(rooms.undecided) << "a refusal is a decision";
                              for (const AllowedRoom& room : rooms.allowed) {
                                allowed.push_back(room.room);
                                if (room.profile) allowed.back() += " " + *room.profile;
                              }
                            });
  ASSERT_THAT(webhook.commands, SizeIs(3));
  EXPECT_EQ(webhook.commands[1].connection_id, "c1");
  webhook.Accept(2, R"({"user":{"name":"Guest"}})");
  webhook.Reject(1, "NO", "");
  EXPECT_EQ(calls, 0);
  webhook.Accept(0);
  EXPECT_EQ(calls, 1);
  const std::string guest = R"(private-3 {"id":1,"name":"Guest","avatar":null})";
  EXPECT_THAT(allowed, ElementsAre("private-1", "a", guest));
  EXPECT_THAT(Authorize(1, {"private-3", "private-1"}), ElementsAre(guest, "private-1"))
      << "remembered";
}

TEST_F(RoomAuthorizerTest, RoomsOfWhichNobodyCanTellAreNoRefusals) {
  using Kind = WebhookResult::Kind;
  for (const Kind kind : {Kind::kUnavailable, Kind::kOverloaded, Kind::kFailed}) {
    std::optional<AuthorizedRooms> rooms;
    commands_->AuthorizeRooms(1, "c1", {"private-1", "a"},
                              [&](AuthorizedRooms given) { rooms = std::move(given); });
    webhook.Fail(webhook.dones.size() - 1, kind);
    ASSERT_TRUE(rooms.has_value());
    EXPECT_TRUE(rooms->undecided);
    ASSERT_THAT(rooms->allowed, SizeIs(1));
    EXPECT_EQ(rooms->allowed[0].room, "a");
  }
}

TEST_F(RoomAuthorizerTest, EveryRoomWhereTheSettingSaysSo) {
  ConnectApplication({.ask_always = true});
  Client& anna = Connect("c1", 1);
  Join(anna, "lobby");
  EXPECT_THAT(webhook.commands, SizeIs(1));
  webhook.Accept(0);
  Run();
  EXPECT_TRUE(anna.caller->InRoom("lobby"));
}

}  // namespace
}  // namespace msab
