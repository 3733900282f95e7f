// Rooms that the application decides on: at room:join, at connect and on a resume.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/laravel_app.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

std::string Room(const std::string& room) {
  return absl::StrCat(R"({"roomId":)", Quoted(room), "}");
}

class AuthorizeTest : public RelayTest {
 protected:
  AuthorizeTest() {
    app_.Decide([](const Json& command) {
      return Text(At(command, "data"), "roomId").find("secret") != std::string::npos
                 ? std::string(
                       R"("status":"rejected","code":"NOT_A_MEMBER","reason":"members only")")
                 : std::string(R"("status":"accepted")");
    });
  }
  void StartWith(std::map<std::string, std::string> settings = {}) {
    settings.merge(app_.Settings());
    Start({.settings = settings});
  }
  static std::vector<std::string> RoomsOf(Client& client) {
    std::vector<std::string> rooms;
    for (const Json& room : At(client.Welcome(), "rooms").as_array()) {
      rooms.emplace_back(room.as_string());
    }
    return rooms;
  }

  LaravelApp app_;
};

TEST_F(AuthorizeTest, PrivateAndPresenceRoomsAreAlwaysTheApplicationsToOpen) {
  StartWith();
  Client client = Connect(101);
  client.Ask("room:join", Room("lobby"));
  EXPECT_TRUE(app_.messages().empty()) << "open to everybody";
  client.Ask("room:join", Room("private-7"));
  client.Ask("room:join", Room("presence-7"));
  const auto messages = app_.Await(2);
  const Json& command = messages[0].commands[0];
  EXPECT_EQ(Text(command, "type"), "room:join");
  EXPECT_EQ(At(command, "user"), ParseJson(R"({"id":101})"));
  EXPECT_EQ(Text(command, "connectionId"), client.connection_id());
  EXPECT_EQ(At(command, "data"), ParseJson(R"({"roomId":"private-7"})"));

  const Json reply = client.Command("room:join", Room("private-secret"));
  EXPECT_EQ(At(reply, "error"),
            ParseJson(R"({"code":"ROOM_FORBIDDEN","message":"members only","details":)"
                      R"({"code":"NOT_A_MEMBER","reason":"members only"}})"));
  EXPECT_EQ(client.Refused("chat:message", R"({"roomId":"private-secret","content":"x"})"),
            "NOT_IN_ROOM");
}

TEST_F(AuthorizeTest, EveryRoomIsWhereTheSettingSaysSo) {
  StartWith({{"rooms.authorize", "webhook"}});
  Client client = Connect(101);
  client.Ask("room:join", Room("42"));
  EXPECT_EQ(client.Refused("room:join", Room("secret")), "ROOM_FORBIDDEN");
  EXPECT_THAT(app_.messages(), SizeIs(2));
}

TEST_F(AuthorizeTest, WithoutAnApplicationTheyStayShut) {
  Client client = Connect(101, {"private-7", "42"});
  EXPECT_THAT(RoomsOf(client), ElementsAre("42"));
  EXPECT_EQ(client.Refused("room:join", Room("private-7")), "ROOM_FORBIDDEN");
  EXPECT_EQ(client.Refused("room:join", Room("presence-7")), "ROOM_FORBIDDEN");
}

TEST_F(AuthorizeTest, AYesIsRememberedForThatUserAndRoom) {
  StartWith();
  Client phone = Connect(101);
  Client laptop = Connect(101);
  Client other = Connect(102);
  phone.Ask("room:join", Room("private-7"));
  phone.Ask("room:leave", Room("private-7"));
  phone.Ask("room:join", Room("private-7"));
  laptop.Ask("room:join", Room("private-7"));
  EXPECT_THAT(app_.messages(), SizeIs(1));
  other.Ask("room:join", Room("private-7"));
  phone.Ask("room:join", Room("private-8"));
  EXPECT_THAT(app_.messages(), SizeIs(3));
  EXPECT_EQ(phone.Refused("room:join", Room("private-secret")), "ROOM_FORBIDDEN");
  EXPECT_EQ(phone.Refused("room:join", Room("private-secret")), "ROOM_FORBIDDEN");
  EXPECT_THAT(app_.messages(), SizeIs(5)) << "a no is not remembered";
}

TEST_F(AuthorizeTest, OthersSeeWhomTheApplicationShows) {
  StartWith();
  app_.Decide([](const Json& command) {
    const int64_t user = Number(At(command, "user"), "id");
    return absl::StrCat(R"("status":"accepted","data":{"user":{"id":)", user, R"(,"name":"Guest )",
                        user, R"(","avatar":null,"seat":)", user - 100, "}}");
  });
  Client first = Connect(101);
  first.Ask("room:join", Room("presence-7"));
  Client second = Connect(102);
  const Json snapshot = second.Ask("room:join", Room("presence-7"));
  EXPECT_EQ(At(snapshot, "participants"),
            ParseJson(R"([{"id":101,"name":"Guest 101","avatar":null,"seat":1},)"
                      R"({"id":102,"name":"Guest 102","avatar":null,"seat":2}])"));
  EXPECT_EQ(At(first.Expect("room:userJoined"), "data"),
            ParseJson(R"({"roomId":"presence-7","userId":102,"user":)"
                      R"({"id":102,"name":"Guest 102","avatar":null,"seat":2}})"));
  // Also of those who name the room at connect.
  Client third = Connect(103, {"presence-7", "open"});
  EXPECT_EQ(At(At(first.Expect("room:userJoined"), "data"), "user"),
            ParseJson(R"({"id":103,"name":"Guest 103","avatar":null,"seat":3})"));
  const Json open = third.Ask("room:join", Room("open"));
  EXPECT_EQ(Text(At(open, "participants").as_array()[0], "name"), "User 103")
      << "only where the application says so";
}

TEST_F(AuthorizeTest, RoomsNamedAtConnectAreAskedFor) {
  StartWith();
  Client client = Connect(101, {"private-1", "private-secret", "42", "presence-2"});
  EXPECT_THAT(RoomsOf(client), ElementsAre("private-1", "42", "presence-2"));
  const auto messages = app_.messages();
  for (const LaravelApp::Message& message : messages) {
    for (const Json& command : message.commands) {
      EXPECT_EQ(Text(command, "connectionId"), client.connection_id());
    }
  }
  EXPECT_FALSE(app_.overlapped());
}

TEST_F(AuthorizeTest, AResumedRoomIsAskedForAgainAndReplaysNothingIfRefused) {
  StartWith();
  Client client = Connect(101, {"private-1", "private-2"});
  const std::string cursor = client.cursor();
  const auto leave = [&](const std::string& room) {
    Emit(absl::StrCat(R"({"room_userLeft":{"room_id":)", Quoted(room), R"(,"user_id":9}})"));
  };
  leave("private-1");
  leave("private-2");
  // Another user is refused one of them.
  app_.Decide([](const Json& command) {
    return Text(At(command, "data"), "roomId") == "private-2"
               ? std::string(R"("status":"rejected","code":"NO","reason":"")")
               : std::string(R"("status":"accepted")");
  });
  Client again =
      Open({.token = UserToken(102), .cursor = cursor, .rooms = {"private-1", "private-2"}});
  EXPECT_THAT(RoomsOf(again), ElementsAre("private-1"));
  EXPECT_EQ(At(again.Welcome(), "recovered"), Json(true));
  const std::vector<Json> missed = again.Replay();
  ASSERT_FALSE(missed.empty());
  for (const Json& frame : missed) EXPECT_EQ(Text(frame, "room"), "private-1") << frame;
  EXPECT_EQ(Number(At(missed.back(), "data"), "userId"), 9);
}

TEST_F(AuthorizeTest, ASilentApplicationLetsNobodyIn) {
  StartWith();
  app_.Hold();
  Client client = Open({.token = UserToken(101), .rooms = {"private-1", "42"}});
  EXPECT_THAT(RoomsOf(client), ElementsAre("42"));
  EXPECT_EQ(client.Refused("room:join", Room("private-1")), "UPSTREAM_UNAVAILABLE");
  app_.Release();
  client.Ask("room:join", Room("private-1"));
}

TEST_F(AuthorizeTest, WhatTheClientAsksOfTheRoomMeanwhileWaits) {
  StartWith();
  Client client = Connect(101);
  app_.Hold();
  client.Send(R"({"id":1001,"event":"room:join","data":{"roomId":"private-1"}})");
  client.Send(R"({"id":1002,"event":"chat:message","data":{"roomId":"private-1","content":"x"}})");
  client.Send(R"({"id":1003,"event":"room:leave","data":{"roomId":"private-1"}})");
  client.Ask("room:join", Room("elsewhere"));
  app_.Release();
  std::vector<int64_t> answered;
  while (answered.size() < 3) {
    const Json frame = client.Next();
    if (frame.is_null()) break;
    if (!Has(frame, "reply")) continue;
    EXPECT_EQ(At(frame, "ok"), Json(true)) << frame;
    answered.push_back(Number(frame, "reply"));
  }
  EXPECT_THAT(answered, ::testing::UnorderedElementsAre(1001, 1002, 1003));
  EXPECT_EQ(answered[0], 1001);
}

}  // namespace
}  // namespace msab::e2e
