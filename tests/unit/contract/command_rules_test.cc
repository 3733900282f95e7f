// What clients may send as the data of a command.
#include "server/contract/command_rules.h"

#include <string>

#include "boost/json/parse.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "msab/v1/client.pb.h"
#include "tests/unit/contract/emit.h"

namespace msab {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <typename Command>
std::vector<std::string> Parse(const std::string& json, Command* out) {
  return Lines(PlainCatalog().commands().Parse(boost::json::parse(json), out));
}

template <typename Command>
std::vector<std::string> Faults(const std::string& json) {
  Command ignored;
  return Parse(json, &ignored);
}

TEST(CommandRules, KnowTheCommands) {
  std::vector<std::string> names;
  for (const auto& command : PlainCatalog().commands().commands()) names.push_back(command.name);
  EXPECT_THAT(names, ElementsAre("room:join", "room:leave", "chat:message", "gift:send", "auth"));
}

TEST(CommandRules, TakeARoomAsTextOrNumber) {
  v1::RoomJoinCommand join;
  EXPECT_THAT(Parse(R"({"roomId":"lobby"})", &join), IsEmpty());
  EXPECT_EQ(join.room_id(), "lobby");
  EXPECT_THAT(Parse(R"({"roomId":42})", &join), IsEmpty());
  EXPECT_EQ(join.room_id(), "42");
  EXPECT_THAT(Parse(R"({"roomId":42.0})", &join), IsEmpty());
  EXPECT_EQ(join.room_id(), "42");
}

TEST(CommandRules, RefuseAnUnfitRoom) {
  for (const char* json : {R"({"roomId":1.5})", R"({"roomId":1e300})", R"({"roomId":true})",
                           R"({"roomId":["42"]})", R"({"roomId":{"id":42}})"}) {
    EXPECT_THAT(Faults<v1::RoomJoinCommand>(json),
                ElementsAre("roomId: must be a string or a whole number"));
  }
  EXPECT_THAT(Faults<v1::RoomJoinCommand>(R"({"roomId":""})"),
              ElementsAre("roomId: is no room id: must be 1 to 64 of A-Z a-z 0-9 _ : . -"));
  EXPECT_THAT(Faults<v1::RoomJoinCommand>(R"({"roomId":null})"),
              ElementsAre("roomId: is required"));
}

TEST(CommandRules, WantAnObject) {
  for (const char* json : {"null", "1", "\"42\"", "[]", "true"}) {
    EXPECT_THAT(Faults<v1::RoomLeaveCommand>(json), ElementsAre("data: must be an object"));
  }
}

TEST(CommandRules, IgnoreWhatIsNotDeclared) {
  EXPECT_THAT(Faults<v1::RoomLeaveCommand>(R"({"roomId":"1","extra":{"a":[]}})"), IsEmpty());
}

TEST(CommandRules, ForgetTheLastCommand) {
  v1::ChatMessageCommand chat;
  EXPECT_THAT(Parse(R"({"roomId":"1","content":"x","clientId":"c"})", &chat), IsEmpty());
  EXPECT_THAT(Parse(R"({"roomId":"1","content":"x"})", &chat), IsEmpty());
  EXPECT_FALSE(chat.has_client_id());
}

TEST(CommandRules, SetDefaults) {
  v1::ChatMessageCommand chat;
  EXPECT_THAT(Parse(R"({"roomId":"1","content":"x","type":null})", &chat), IsEmpty());
  EXPECT_EQ(chat.type(), "text");
  v1::GiftSendCommand gift;
  EXPECT_THAT(Parse(R"({"roomId":"1","giftId":7,"recipientId":43})", &gift), IsEmpty());
  EXPECT_EQ(gift.quantity(), 1);
  EXPECT_FALSE(gift.has_transaction_id());
}

TEST(CommandRules, CountCharactersOfAMessageNotBytes) {
  const auto content = [](const std::string& character, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += character;
    return Faults<v1::ChatMessageCommand>(R"({"roomId":"1","content":")" + text + "\"}");
  };
  EXPECT_THAT(content("👋", 500), IsEmpty());
  EXPECT_THAT(content("👋", 501), ElementsAre("content: has 501 characters: must have 1 to 500"));
  EXPECT_THAT(content("x", 0), ElementsAre("content: has 0 characters: must have 1 to 500"));
}

TEST(CommandRules, LeaveTheSystemsTypeToTheSystem) {
  for (const char* type : {"text", "emoji", "sticker", "gift"}) {
    EXPECT_THAT(Faults<v1::ChatMessageCommand>(
                    std::string(R"({"roomId":"1","content":"x","type":")") + type + "\"}"),
                IsEmpty());
  }
  EXPECT_THAT(Faults<v1::ChatMessageCommand>(R"({"roomId":"1","content":"x","type":"system"})"),
              ElementsAre(R"(type: must be one of "text", "emoji", "sticker", "gift")"));
}

TEST(CommandRules, ReadAWholeGift) {
  v1::GiftSendCommand gift;
  EXPECT_THAT(Parse(R"({"roomId":42,"giftId":7,"recipientIds":[43,44],"quantity":9999,
                        "batchId":"b","transactionId":"t"})",
                    &gift),
              IsEmpty());
  EXPECT_EQ(gift.room_id(), "42");
  EXPECT_EQ(gift.gift_id(), 7);
  EXPECT_THAT(gift.recipient_ids(), ElementsAre(43, 44));
  EXPECT_EQ(gift.quantity(), 9999);
  EXPECT_EQ(gift.batch_id(), "b");
  EXPECT_EQ(gift.transaction_id(), "t");
}

TEST(CommandRules, WantOneKindOfRecipients) {
  EXPECT_THAT(Faults<v1::GiftSendCommand>(R"({"roomId":"1","giftId":7})"),
              ElementsAre("recipientId: is required: exactly one of recipientId, recipientIds must "
                          "be there"));
  EXPECT_THAT(
      Faults<v1::GiftSendCommand>(
          R"({"roomId":"1","giftId":7,"recipientId":1,"recipientIds":[1]})"),
      ElementsAre("recipientId: is one too many: exactly one of recipientId, recipientIds must be "
                  "there"));
  EXPECT_THAT(Faults<v1::GiftSendCommand>(
                  R"({"roomId":"1","giftId":7,"recipientId":1,"recipientIds":null})"),
              IsEmpty());
}

TEST(CommandRules, BoundRecipients) {
  const auto recipients = [](int count) {
    std::string list;
    for (int i = 1; i <= count; ++i) list += (i == 1 ? "" : ",") + std::to_string(i);
    return Faults<v1::GiftSendCommand>(R"({"roomId":"1","giftId":7,"recipientIds":[)" + list +
                                       "]}");
  };
  EXPECT_THAT(recipients(30), IsEmpty());
  EXPECT_THAT(recipients(31), ElementsAre("recipientIds: has 31 items: must have 1 to 30"));
  EXPECT_THAT(recipients(0), ElementsAre("recipientIds: has 0 items: must have 1 to 30"));
}

TEST(CommandRules, ReportEveryViolatedField) {
  EXPECT_THAT(
      Faults<v1::GiftSendCommand>(R"({"roomId":"a b","giftId":"7","recipientIds":[0,"x",1.5],
                                      "quantity":10000,"batchId":"","transactionId":7})"),
      ElementsAre("roomId: is no room id: must be 1 to 64 of A-Z a-z 0-9 _ : . -",
                  "giftId: must be a whole number from 1 to 9007199254740991",
                  "recipientIds[0]: is out of range: must be a whole number from 1 to "
                  "9007199254740991",
                  "recipientIds[1]: must be a whole number from 1 to 9007199254740991",
                  "recipientIds[2]: must be a whole number from 1 to 9007199254740991",
                  "quantity: is out of range: must be a whole number from 1 to 9999",
                  "batchId: is empty: must have 1 to 128 bytes",
                  "transactionId: must be a string"));
}

}  // namespace
}  // namespace msab
