#include "server/rooms/chat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "boost/json/serialize.hpp"
#include "tests/unit/rooms/rooms_fixture.h"

namespace msab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ChatTest : public RoomsFixture {
 protected:
  static std::string IdOf(const Client& client, size_t answer) {
    return std::string(client.json(answer).at("id").as_string());
  }
  static boost::json::value Payload(const Client& client, size_t event) {
    return boost::json::parse(client.events.at(event)->payload);
  }
};

TEST_F(ChatTest, GoesToTheRoomAndAnswersTheSenderFirst) {
  Client& anna = Connect("c1", 1, 0, R"(,"frame_id":7,"chat_bubble_id":"8")");
  Client& ben = Connect("c2", 2, 1);
  Client& other = Connect("c3", 3);
  Enter(anna, "lobby");
  Enter(ben, "lobby");
  Enter(other, "hall");
  Ask(anna, "chat:message",
      R"({"roomId":"lobby","content":"Grüß \"dich\" 🎉","type":"emoji","clientId":"k1"})");
  Run();
  ASSERT_EQ(anna.journal.size(), 2U);
  EXPECT_EQ(anna.journal[1], "chat:message");
  EXPECT_THAT(ben.journal, ElementsAre("chat:message"));
  EXPECT_THAT(other.journal, IsEmpty());

  const EntryPtr& entry = ben.events[0];
  EXPECT_EQ(entry->event_id, IdOf(anna, 0));
  EXPECT_EQ(entry->occurred_at, clock_.WallMillis());
  EXPECT_EQ(Payload(ben, 0),
            boost::json::parse(absl::StrCat(
                R"({"id":")", IdOf(anna, 0), R"(","roomId":"lobby","userId":1,)",
                R"("userName":"User 1","userAvatar":null,"userFrameId":7,"userChatBubbleId":8,)",
                R"("content":"Grüß \"dich\" 🎉","type":"emoji","timestamp":)", clock_.WallMillis(),
                R"(,"clientId":"k1"})")));
}

TEST_F(ChatTest, WhatIsAbsentStaysAbsentAndTheTypeIsText) {
  Client& anna = Connect("c1", 1);
  Enter(anna, "lobby");
  Chat(anna, "lobby");
  Run();
  const boost::json::object payload = Payload(anna, 0).as_object();
  EXPECT_EQ(payload.at("type").as_string(), "text");
  EXPECT_FALSE(payload.contains("clientId"));
  EXPECT_FALSE(payload.contains("userFrameId"));
  EXPECT_FALSE(payload.contains("userChatBubbleId"));
}

TEST_F(ChatTest, AnOddProfileKeepsNobodyFromWriting) {
  const std::string long_text(3'000, 'x');
  int n = 0;
  for (const std::string& profile : {
           std::string(R"({"id":5})"),
           std::string(R"({"id":5,"name":null,"avatar":7,"frame_id":0,"chat_bubble_id":"0"})"),
           std::string(R"({"id":5,"name":"","avatar":"","frame_id":-1,"chat_bubble_id":"7x"})"),
           std::string(R"({"id":5,"name":[],"avatar":{},"frame_id":1.5,"chat_bubble_id":""})"),
           std::string(R"({"id":5,"frame_id":9007199254740992,)"
                       R"("chat_bubble_id":"99999999999999999999"})"),
           absl::StrCat(R"({"id":5,"name":")", long_text, R"(","avatar":")", long_text, "\"}"),
       }) {
    Client& client =
        Connect(absl::StrCat("c", ++n), 5, 0, std::make_shared<const std::string>(profile));
    const std::string room = absl::StrCat("room", n);
    Enter(client, room);
    Chat(client, room);
    Run();
    ASSERT_EQ(client.events.size(), 1U) << profile;
    const boost::json::object payload = Payload(client, 0).as_object();
    EXPECT_EQ(payload.at("userName").as_string(), "5") << profile;
    EXPECT_TRUE(payload.at("userAvatar").is_null()) << profile;
    EXPECT_FALSE(payload.contains("userFrameId")) << profile;
    EXPECT_FALSE(payload.contains("userChatBubbleId")) << profile;
  }
}

TEST_F(ChatTest, OnlyFromWithinTheRoomAndByThisConnection) {
  Client& anna = Connect("c1", 1);
  Client& tab = Connect("c2", 1);
  Enter(tab, "lobby");
  Chat(anna, "lobby");
  Run();
  EXPECT_THAT(anna.journal, ElementsAre("NOT_IN_ROOM"));
  EXPECT_THAT(tab.journal, IsEmpty());
}

TEST_F(ChatTest, ThePayloadIsCheckedBeforeMembership) {
  Client& anna = Connect("c1", 1);
  Ask(anna, "chat:message", R"({"roomId":"lobby","content":"","type":"system","clientId":""})");
  ASSERT_THAT(anna.journal, ElementsAre("INVALID_PAYLOAD"));
  const boost::json::value details = boost::json::parse(anna.error(0).details_json);
  std::vector<std::string> fields;
  for (const boost::json::value& detail : details.as_array()) {
    fields.emplace_back(detail.at("field").as_string());
  }
  EXPECT_THAT(fields, ElementsAre("content", "type", "clientId"));
  EXPECT_THAT(anna.error(0).message, HasSubstr("content, type, clientId"));
}

TEST_F(ChatTest, ContentIsCountedInCharacters) {
  Client& anna = Connect("c1", 1);
  Enter(anna, "lobby");
  std::string content;
  for (int i = 0; i < 500; ++i) content += "🎉";
  Ask(anna, "chat:message", absl::StrCat(R"({"roomId":"lobby","content":")", content, "\"}"));
  Ask(anna, "chat:message", absl::StrCat(R"({"roomId":"lobby","content":")", content, "!\"}"));
  Run();
  EXPECT_EQ(anna.events.size(), 1U);
  EXPECT_EQ(std::count(anna.journal.begin(), anna.journal.end(), "INVALID_PAYLOAD"), 1);
}

TEST_F(ChatTest, ARepeatedClientIdHasTheFirstAnswerAndIsShownOnce) {
  Client& anna = Connect("c1", 1);
  Client& tab = Connect("c2", 1, 1);
  Enter(anna, "lobby");
  Enter(tab, "lobby");
  Chat(anna, "lobby", R"(,"clientId":"k")");
  Run();
  Chat(anna, "lobby", R"(,"clientId":"k")");
  Chat(tab, "lobby", R"(,"clientId":"k")");
  Run();
  ASSERT_EQ(anna.answers.size(), 2U);
  EXPECT_EQ(anna.data(0), anna.data(1));
  EXPECT_EQ(tab.data(0), anna.data(0));
  EXPECT_EQ(anna.events.size(), 1U);

  clock_.Advance(600'000);
  Chat(anna, "lobby", R"(,"clientId":"k")");
  Run();
  EXPECT_EQ(anna.events.size(), 2U);
  EXPECT_NE(anna.data(2), anna.data(0));
}

TEST_F(ChatTest, ARepeatWhileTheFirstIsUnderWayWaitsForItAcrossShards) {
  Client& anna = Connect("c1", 1, 0);
  Client& tab = Connect("c2", 1, 1);
  Enter(anna, "lobby");
  Enter(tab, "lobby");
  Chat(anna, "lobby", R"(,"clientId":"k")");
  Chat(tab, "lobby", R"(,"clientId":"k")");
  EXPECT_THAT(anna.journal, IsEmpty());
  EXPECT_THAT(tab.journal, IsEmpty());
  RunShard(0);  // the first is settled; the other's answer must wait for its own shard
  EXPECT_EQ(anna.answers.size(), 1U);
  EXPECT_THAT(tab.answers, IsEmpty());
  Run();
  ASSERT_EQ(tab.answers.size(), 1U);
  EXPECT_EQ(tab.data(0), anna.data(0));
  EXPECT_EQ(anna.events.size(), 1U);
  EXPECT_EQ(tab.events.size(), 1U);
}

TEST_F(ChatTest, AFailedFirstFailsItsRepeatsAndIsForgotten) {
  Client& anna = Connect("c1", 1, 0);
  Client& tab = Connect("c2", 1, 1);
  Enter(anna, "lobby");
  Enter(tab, "lobby");
  inboxes_[1].full = true;
  Chat(anna, "lobby", R"(,"clientId":"k")");
  Chat(tab, "lobby", R"(,"clientId":"k")");
  Run();
  inboxes_[1].full = false;
  ASSERT_EQ(anna.answers.size(), 1U);
  EXPECT_EQ(anna.error(0).code, "RATE_LIMITED");
  EXPECT_GT(anna.error(0).retry_after_ms, 0);
  ASSERT_EQ(tab.answers.size(), 1U);
  EXPECT_EQ(tab.error(0).code, "RATE_LIMITED");
  Chat(tab, "lobby", R"(,"clientId":"k")");
  Run();
  EXPECT_EQ(tab.answers.size(), 2U);
  EXPECT_EQ(anna.events.size(), 1U);
  EXPECT_EQ(anna.events[0]->event_id, IdOf(tab, 1));
}

TEST_F(ChatTest, TheLimitIsTheUsersInThatRoom) {
  Configure({.chat = {.per_minute = 3, .dedup = {}}});
  Client& anna = Connect("c1", 1);
  Client& tab = Connect("c2", 1, 1);
  Client& ben = Connect("c3", 2);
  for (Client* client : {&anna, &tab, &ben}) Enter(*client, "lobby");
  Enter(anna, "hall");
  Chat(anna, "lobby", R"(,"clientId":"k")");
  Chat(anna, "lobby");
  Chat(tab, "lobby");
  Run();
  Forget();
  Chat(tab, "lobby", R"(,"clientId":"m")");
  Chat(anna, "hall");
  Chat(ben, "lobby");
  Run();
  ASSERT_EQ(tab.answers.size(), 1U);
  EXPECT_EQ(tab.error(0).code, "RATE_LIMITED");
  EXPECT_EQ(tab.error(0).retry_after_ms, 20'000);
  EXPECT_TRUE(std::holds_alternative<std::string>(anna.answers.at(0)));
  EXPECT_TRUE(std::holds_alternative<std::string>(ben.answers.at(0)));
  Forget();
  // A repeat costs nothing; what was refused is no first answer and passes once there is room.
  Chat(tab, "lobby", R"(,"clientId":"k")");
  Run();
  EXPECT_TRUE(std::holds_alternative<std::string>(tab.answers.at(0)));
  clock_.Advance(20'000);
  Chat(tab, "lobby", R"(,"clientId":"m")");
  Run();
  EXPECT_TRUE(std::holds_alternative<std::string>(tab.answers.at(1)));
  EXPECT_EQ(ben.events.size(), 1U);
}

TEST_F(ChatTest, WhileDrainingNothingIsTaken) {
  Client& anna = Connect("c1", 1);
  Enter(anna, "lobby");
  dispatcher_.Drain();
  Chat(anna, "lobby");
  Run();
  ASSERT_THAT(anna.journal, ElementsAre("INTERNAL"));
  EXPECT_GT(anna.error(0).retry_after_ms, 0);
}

}  // namespace
}  // namespace msab
