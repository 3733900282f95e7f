#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "boost/json/serialize.hpp"
#include "server/contract/cursor.h"
#include "tests/unit/rooms/rooms_fixture.h"

namespace msab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JoinLeaveTest : public RoomsFixture {
 protected:
  uint64_t CursorOf(const Client& client, size_t answer) {
    const std::optional<Cursor> cursor =
        Cursor::Parse(std::string(client.json(answer).at("cursor").as_string()));
    EXPECT_TRUE(cursor);
    EXPECT_EQ(cursor->epoch, dispatcher_.epoch());
    return cursor->sequence;
  }
};

TEST_F(JoinLeaveTest, TheAnswerIsASnapshotBeforeEveryLaterEventOfTheRoom) {
  Client& anna = Connect("c1", 1);
  Client& ben = Connect("c2", 2, 1, R"(,"vip_level":3)");
  Enter(anna, "lobby");
  Join(ben, "lobby");
  Run();
  ASSERT_EQ(ben.answers.size(), 1U);
  const boost::json::value answer = ben.json(0);
  EXPECT_EQ(answer.at("roomId").as_string(), "lobby");
  EXPECT_EQ(boost::json::serialize(answer.at("participants")),
            R"([{"id":1,"name":"User 1","avatar":null},)"
            R"({"id":2,"name":"User 2","avatar":null,"vip_level":3}])");
  // Ben is told of by the others' userJoined, which he doesn't get himself.
  ASSERT_THAT(anna.journal, ElementsAre("room:userJoined"));
  EXPECT_GT(anna.events[0]->sequence, CursorOf(ben, 0));
  EXPECT_EQ(ben.journal.size(), 1U);

  Chat(anna, "lobby");
  Run();
  ASSERT_EQ(ben.events.size(), 1U);
  EXPECT_GT(ben.events[0]->sequence, CursorOf(ben, 0));
}

TEST_F(JoinLeaveTest, ARoomMayBeNamedByANumber) {
  Client& anna = Connect("c1", 1);
  Ask(anna, "room:join", R"({"roomId":42})");
  Run();
  EXPECT_EQ(anna.json(0).at("roomId").as_string(), "42");
  EXPECT_TRUE(anna.caller->InRoom("42"));
  Ask(anna, "room:leave", R"({"roomId":"42"})");
  EXPECT_FALSE(anna.caller->InRoom("42"));
}

TEST_F(JoinLeaveTest, JoiningAgainGivesAFreshSnapshotAndTellsNobody) {
  Client& anna = Connect("c1", 1);
  Client& ben = Connect("c2", 2);
  Enter(anna, "lobby");
  Enter(ben, "lobby");
  Chat(ben, "lobby");
  Run();
  Forget();
  Join(anna, "lobby");
  Run();
  EXPECT_EQ(CursorOf(anna, 0), dispatcher_.Head());
  EXPECT_EQ(anna.json(0).at("participants").as_array().size(), 2U);
  EXPECT_THAT(ben.journal, IsEmpty());
  EXPECT_EQ(Reach("lobby"), 2U);
}

TEST_F(JoinLeaveTest, ASecondTabIsNoSecondParticipant) {
  Client& anna = Connect("c1", 1);
  Client& tab = Connect("c2", 1, 1);
  Client& ben = Connect("c3", 2);
  Enter(ben, "lobby");
  Join(anna, "lobby");
  Join(tab, "lobby");
  Run();
  EXPECT_THAT(ben.journal, ElementsAre("room:userJoined"));
  EXPECT_EQ(tab.json(0).at("participants").as_array().size(), 2U);
  Forget();
  Leave(tab, "lobby");
  Run();
  EXPECT_THAT(ben.journal, IsEmpty());
  Leave(anna, "lobby");
  Run();
  EXPECT_THAT(ben.journal, ElementsAre("room:userLeft"));
}

TEST_F(JoinLeaveTest, NoEventOfTheRoomFollowsTheAnswerToLeave) {
  Client& anna = Connect("c1", 1);
  Client& ben = Connect("c2", 2, 1);
  Enter(anna, "lobby");
  Enter(ben, "lobby");
  Chat(ben, "lobby");  // waits in the inbox of anna's shard
  Leave(anna, "lobby");
  Run();
  EXPECT_THAT(anna.journal, ElementsAre("{}"));
  EXPECT_EQ(Reach("lobby"), 1U);
}

TEST_F(JoinLeaveTest, LeavingARoomOneIsNotInIsHarmless) {
  Client& anna = Connect("c1", 1);
  Client& ben = Connect("c2", 2);
  Enter(ben, "lobby");
  Leave(anna, "lobby");
  Leave(anna, "elsewhere");
  Run();
  EXPECT_THAT(anna.journal, ElementsAre("{}", "{}"));
  EXPECT_THAT(ben.journal, IsEmpty());
}

TEST_F(JoinLeaveTest, JoinAndLeaveInOneBreathEndOutside) {
  Client& anna = Connect("c1", 1);
  Client& ben = Connect("c2", 2);
  Enter(ben, "lobby");
  Join(anna, "lobby");
  Leave(anna, "lobby");
  EXPECT_THAT(anna.journal, IsEmpty());
  Run();
  ASSERT_EQ(anna.journal.size(), 2U);
  EXPECT_EQ(anna.json(0).at("participants").as_array().size(), 2U);
  EXPECT_EQ(anna.journal[1], "{}");
  EXPECT_FALSE(anna.caller->InRoom("lobby"));
  EXPECT_EQ(Reach("lobby"), 1U);
  EXPECT_THAT(ben.journal, ElementsAre("room:userJoined", "room:userLeft"));
}

TEST_F(JoinLeaveTest, JoinLeaveJoinInOneBreathEndsInside) {
  Client& anna = Connect("c1", 1);
  Client& ben = Connect("c2", 2);
  Enter(ben, "lobby");
  Join(anna, "lobby");
  Leave(anna, "lobby");
  Join(anna, "lobby");
  Run();
  ASSERT_EQ(anna.answers.size(), 3U);
  EXPECT_EQ(anna.data(1), "{}");
  EXPECT_GT(CursorOf(anna, 2), CursorOf(anna, 0));
  EXPECT_TRUE(anna.caller->InRoom("lobby"));
  EXPECT_EQ(Reach("lobby"), 2U);
  EXPECT_THAT(ben.journal, ElementsAre("room:userJoined", "room:userLeft", "room:userJoined"));
}

TEST_F(JoinLeaveTest, JoinChatLeaveInOneBreathHappenInThatOrder) {
  Client& anna = Connect("c1", 1);
  Client& ben = Connect("c2", 2);
  Enter(ben, "lobby");
  Join(anna, "lobby");
  Chat(anna, "lobby");
  Leave(anna, "lobby");
  Run();
  EXPECT_THAT(ben.journal, ElementsAre("room:userJoined", "chat:message", "room:userLeft"));
  ASSERT_EQ(anna.answers.size(), 3U);
  for (const CommandResult& answer : anna.answers) {
    EXPECT_TRUE(std::holds_alternative<std::string>(answer));
  }
}

TEST_F(JoinLeaveTest, AConnectionLostBeforeItsJoinsPlaceIsInNoRoom) {
  Client& anna = Connect("c1", 1);
  Client& ben = Connect("c2", 2);
  Enter(ben, "lobby");
  Join(anna, "lobby");
  Chat(anna, "lobby");
  Disconnect(anna);
  Run();
  EXPECT_FALSE(anna.caller->InRoom("lobby"));
  EXPECT_EQ(Reach("lobby"), 1U);
  EXPECT_THAT(ben.journal, ElementsAre("room:userJoined"));
}

TEST_F(JoinLeaveTest, WhatAnOldSessionAskedDoesNotTouchTheOneThatTookItsId) {
  Client& old = Connect("c1", 1);
  Join(old, "lobby");
  Leave(old, "lobby");
  Join(old, "lobby");
  Disconnect(old);
  Client& resumed = Connect("c1", 1);
  Join(resumed, "lobby");
  Run();
  EXPECT_TRUE(resumed.caller->InRoom("lobby"));
  EXPECT_FALSE(old.caller->InRoom("lobby"));
  EXPECT_EQ(Reach("lobby"), 1U);
  ASSERT_EQ(resumed.answers.size(), 1U);

  Client& third = Connect("c3", 1);
  Join(third, "hall");
  Leave(third, "hall");
  Join(third, "hall");
  Disconnect(third);
  Connect("c3", 1);
  Run();
  EXPECT_EQ(Reach("hall"), 0U);
}

TEST_F(JoinLeaveTest, RoomsOfOneConnectionAreLimitedAlsoInOneBreath) {
  Configure({.rooms_per_connection = 3, .chat = {}});
  Client& anna = Connect("c1", 1);
  Join(anna, "r1");
  Join(anna, "r1");
  for (int i = 2; i <= 5; ++i) Join(anna, absl::StrCat("r", i));
  Run();
  EXPECT_EQ(anna.caller->room_count(), 3U);
  ASSERT_EQ(anna.answers.size(), 6U);
  int limited = 0;
  for (const CommandResult& answer : anna.answers) {
    const auto* error = std::get_if<CommandError>(&answer);
    if (error == nullptr) continue;
    EXPECT_EQ(error->code, "RATE_LIMITED");
    EXPECT_EQ(error->retry_after_ms, 0);
    ++limited;
  }
  EXPECT_EQ(limited, 2);
  Forget();
  // A room it is in can be joined again, and leaving one makes room for another.
  Join(anna, "r2");
  Leave(anna, "r3");
  Join(anna, "r4");
  Run();
  EXPECT_TRUE(anna.caller->InRoom("r4"));
  EXPECT_EQ(anna.caller->room_count(), 3U);
}

TEST_F(JoinLeaveTest, PrivateAndPresenceRoomsAreClosed) {
  Client& anna = Connect("c1", 1);
  Join(anna, "private-7");
  Join(anna, "presence-7");
  Join(anna, "privateer");
  Run();
  EXPECT_EQ(anna.journal[0], "ROOM_FORBIDDEN");
  EXPECT_EQ(anna.journal[1], "ROOM_FORBIDDEN");
  EXPECT_EQ(Reach("private-7") + Reach("presence-7"), 0U);
  EXPECT_TRUE(anna.caller->InRoom("privateer"));
}

TEST_F(JoinLeaveTest, AFullInboxRefusesAJoinAndChangesNothing) {
  Client& anna = Connect("c1", 1);
  inboxes_[0].full = true;
  Join(anna, "lobby");
  ASSERT_THAT(anna.journal, ElementsAre("RATE_LIMITED"));
  EXPECT_GT(anna.error(0).retry_after_ms, 0);
  inboxes_[0].full = false;
  EXPECT_EQ(Reach("lobby"), 0U);
  Forget();
  Join(anna, "lobby");
  Run();
  EXPECT_TRUE(anna.caller->InRoom("lobby"));
}

TEST_F(JoinLeaveTest, AnUnfitPayloadNamesItsFields) {
  Client& anna = Connect("c1", 1);
  for (const char* data : {"null", "[]", "7", "{}", R"({"roomId":null})", R"({"roomId":""})",
                           R"({"roomId":"a b"})", R"({"roomId":1.5})", R"({"roomId":true})"}) {
    Ask(anna, "room:join", data);
    Ask(anna, "room:leave", data);
  }
  Run();
  ASSERT_EQ(anna.answers.size(), 18U);
  for (size_t i = 0; i < anna.answers.size(); ++i) {
    EXPECT_EQ(anna.error(i).code, "INVALID_PAYLOAD");
    const boost::json::value details = boost::json::parse(anna.error(i).details_json);
    ASSERT_EQ(details.as_array().size(), 1U) << anna.error(i).details_json;
    EXPECT_FALSE(details.at(0).at("description").as_string().empty());
  }
  const boost::json::value details = boost::json::parse(anna.error(6).details_json);
  EXPECT_EQ(details.at(0).at("field").as_string(), "roomId");
  EXPECT_THAT(anna.error(6).message, ::testing::HasSubstr("roomId"));
}

TEST_F(JoinLeaveTest, RoomsNamedAtConnectAreSifted) {
  Configure({.rooms_per_connection = 3, .chat = {}});
  std::vector<std::string> allowed;
  commands_->AuthorizeRooms(
      1, "c1",
      {"b", "a b", "private-1", "b", "a", "", "presence-x", std::string(65, 'x'), "c", "d"},
      [&allowed](const AuthorizedRooms& rooms) {
        EXPECT_FALSE(rooms.undecided);
        for (const AllowedRoom& room : rooms.allowed) allowed.push_back(room.room);
      });
  EXPECT_THAT(allowed, ElementsAre("b", "a", "c"));
}

}  // namespace
}  // namespace msab
