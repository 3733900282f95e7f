// What participants send into a room: chat messages and gifts.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

std::string Chat(const std::string& content, const std::string& more = "",
                 const std::string& room = "42") {
  return absl::StrCat(R"({"roomId":")", room, R"(","content":)", Quoted(content), more, "}");
}

int64_t NowMillis() { return NowSeconds() * 1'000; }

class ChatTest : public RelayTest {};

TEST_F(ChatTest, ReachesTheRoomAndTheSenderAfterTheAnswer) {
  Client sender = Open({.token = SignToken(absl::StrCat(
                            R"({"sub":"101","name":"Ann","avatar":"a.png","frame_id":16,)",
                            R"("chat_bubble_id":17,"exp":)", NowSeconds() + 600, "}")),
                        .rooms = {"42"}});
  EXPECT_TRUE(sender.Replay().empty());
  Client other = Connect(102, {"42"});
  Client outside = Connect(103);
  Fence({&sender, &other, &outside});

  const int64_t before = NowMillis();
  sender.Send(absl::StrCat(R"({"id":77,"event":"chat:message","data":)",
                           Chat("hi 🎁", R"(,"type":"emoji","clientId":"c-1")"), "}"));
  const Json reply = sender.Next();
  ASSERT_EQ(Number(reply, "reply"), 77) << "the answer comes before the own copy: " << reply;
  const std::string id = Text(At(reply, "data"), "id");
  EXPECT_EQ(At(reply, "data"), Json(JsonObject{{"id", id}}));
  EXPECT_FALSE(id.empty());
  const Json own = sender.Expect("chat:message");
  const int64_t timestamp = Number(At(own, "data"), "timestamp");
  EXPECT_GE(timestamp, before);
  EXPECT_LE(timestamp, NowMillis() + 1'000);
  const std::string data = absl::StrCat(
      R"({"id":)", Quoted(id), R"(,"roomId":"42","userId":101,"userName":"Ann",)",
      R"("userAvatar":"a.png","userFrameId":16,"userChatBubbleId":17,)",
      R"("content":"hi 🎁","type":"emoji","timestamp":)", timestamp, R"(,"clientId":"c-1"})");
  EXPECT_EQ(own, EventFrame("chat:message", data, Text(own, "cursor"), "42"));
  EXPECT_EQ(Fence({&other})[0], std::vector<Json>{own});
  ExpectNothing({&outside});
}

TEST_F(ChatTest, IsTextUnlessSaidOtherwise) {
  Client client = Connect(101, {"42"});
  client.Ask("chat:message", Chat("x"));
  const Json data = At(client.Expect("chat:message"), "data");
  EXPECT_EQ(Text(data, "type"), "text");
  EXPECT_FALSE(Has(data, "clientId"));
  EXPECT_TRUE(Has(data, "userAvatar"));
  EXPECT_TRUE(At(data, "userAvatar").is_null());
}

TEST_F(ChatTest, AClientIdIsSentOnceWhateverTheConnection) {
  Client phone = Connect(101, {"42"});
  Client laptop = Connect(101, {"42"});
  Client other = Connect(102, {"42"});
  Fence({&phone, &laptop, &other});
  const std::string message = Chat("once", R"(,"clientId":"c-9")");
  const Json first = phone.Ask("chat:message", message);
  EXPECT_EQ(phone.Ask("chat:message", message), first);
  EXPECT_EQ(laptop.Ask("chat:message", message), first);
  // Another user's same id is another message.
  EXPECT_NE(other.Ask("chat:message", message), first);
  for (const std::vector<Json>& frames : Fence({&phone, &laptop, &other})) {
    EXPECT_EQ(frames.size(), 2U);
  }
}

TEST_F(ChatTest, ChecksThePayloadBeforeTheMembership) {
  Client client = Connect(101, {"42"});
  std::string long_text;
  for (int i = 0; i < 501; ++i) long_text += "ü";
  for (const std::string& data :
       {std::string("{}"), std::string("null"), Chat(""), Chat(long_text),
        Chat("x", R"(,"type":"system")"), Chat("x", R"(,"type":"video")"),
        Chat("x", R"(,"type":5)"), std::string(R"({"roomId":"42","content":5})"),
        std::string(R"({"content":"x"})"), Chat("x", R"(,"clientId":5)"),
        Chat("x", absl::StrCat(R"(,"clientId":")", std::string(65, 'a'), "\"")),
        Chat("", "", "not-mine")}) {
    EXPECT_EQ(client.Refused("chat:message", data), "INVALID_PAYLOAD") << data;
  }
  EXPECT_EQ(client.Refused("chat:message", Chat("x", "", "not-mine")), "NOT_IN_ROOM");
  ExpectNothing({&client});
  // 500 characters, not bytes.
  client.Ask("chat:message", Chat(long_text.substr(2)));
  client.Ask("chat:message",
             Chat("x", absl::StrCat(R"(,"clientId":")", std::string(64, 'a'), "\"")));
}

TEST_F(ChatTest, MembershipIsTheConnections) {
  Client phone = Connect(101, {"42"});
  Client laptop = Connect(101);
  EXPECT_EQ(laptop.Refused("chat:message", Chat("x")), "NOT_IN_ROOM");
  phone.Ask("room:leave", R"({"roomId":"42"})");
  EXPECT_EQ(phone.Refused("chat:message", Chat("x")), "NOT_IN_ROOM");
}

TEST_F(ChatTest, IsLimitedPerUserAndRoom) {
  Start({.settings = {{"limits.chat_per_minute", "3"}}});
  Client phone = Connect(101, {"42", "43"});
  Client laptop = Connect(101, {"42"});
  Client other = Connect(102, {"42"});
  phone.Ask("chat:message", Chat("1"));
  laptop.Ask("chat:message", Chat("2"));
  phone.Ask("chat:message", Chat("3"));
  const Json reply = laptop.Command("chat:message", Chat("4"));
  EXPECT_EQ(Text(At(reply, "error"), "code"), "RATE_LIMITED") << reply;
  EXPECT_GT(Number(At(reply, "error"), "retryAfter"), 0) << reply;
  EXPECT_LE(Number(At(reply, "error"), "retryAfter"), 60'000) << reply;
  EXPECT_EQ(phone.Refused("chat:message", Chat("4")), "RATE_LIMITED");
  phone.Ask("chat:message", Chat("1", "", "43"));
  other.Ask("chat:message", Chat("1"));
}

class GiftTest : public RelayTest {
 protected:
  static std::string Gift(const std::string& fields) {
    return absl::StrCat(R"({"roomId":"42",)", fields, "}");
  }
};

TEST_F(GiftTest, WithoutAnybodyToChargeItIsRefusedToAllTheSendersConnections) {
  Client phone = Connect(101, {"42"});
  Client laptop = Connect(101);
  Client other = Connect(102, {"42"});
  Fence({&phone, &laptop, &other});
  EXPECT_EQ(phone.Refused("gift:send", Gift(R"("giftId":7,"recipientId":102,"quantity":3,)"
                                            R"("batchId":"b-1","transactionId":"t-1")")),
            "UPSTREAM_UNAVAILABLE");
  const Received received = Fence({&phone, &laptop, &other});
  for (const size_t sender : {0, 1}) {
    ASSERT_EQ(received[sender].size(), 1U);
    const Json& frame = received[sender][0];
    EXPECT_EQ(Text(frame, "event"), "gift:error");
    const Json& data = At(frame, "data");
    EXPECT_EQ(data, Json(JsonObject{{"transactionId", "t-1"},
                                    {"code", "UPSTREAM_UNAVAILABLE"},
                                    {"reason", At(data, "reason")},
                                    {"batchId", "b-1"}}));
    EXPECT_TRUE(At(data, "reason").is_string());
  }
  EXPECT_TRUE(received[2].empty());
}

TEST_F(GiftTest, ATransactionIdIsMintedWhereNoneIsGiven) {
  Client client = Connect(101, {"42"});
  EXPECT_EQ(client.Refused("gift:send", Gift(R"("giftId":7,"recipientIds":[102,103])")),
            "UPSTREAM_UNAVAILABLE");
  const Json data = At(client.Expect("gift:error"), "data");
  EXPECT_FALSE(Text(data, "transactionId").empty());
  EXPECT_FALSE(Has(data, "batchId"));
}

TEST_F(GiftTest, ChecksThePayloadBeforeTheMembership) {
  Client client = Connect(101, {"42"});
  std::string thirty_one = "1";
  for (int i = 2; i <= 31; ++i) absl::StrAppend(&thirty_one, ",", i);
  for (const std::string& fields :
       {std::string(R"("recipientId":102)"), std::string(R"("giftId":0,"recipientId":102)"),
        std::string(R"("giftId":"7","recipientId":102)"), std::string(R"("giftId":7)"),
        std::string(R"("giftId":7,"recipientId":102,"recipientIds":[102])"),
        std::string(R"("giftId":7,"recipientIds":[])"),
        std::string(R"("giftId":7,"recipientIds":[0])"),
        std::string(R"("giftId":7,"recipientIds":102)"),
        absl::StrCat(R"("giftId":7,"recipientIds":[)", thirty_one, "]"),
        std::string(R"("giftId":7,"recipientId":102,"quantity":0)"),
        std::string(R"("giftId":7,"recipientId":102,"quantity":10000)"),
        std::string(R"("giftId":7,"recipientId":102,"quantity":1.5)")}) {
    EXPECT_EQ(client.Refused("gift:send", Gift(fields)), "INVALID_PAYLOAD") << fields;
  }
  EXPECT_EQ(client.Refused("gift:send", R"({"roomId":"43","giftId":7,"recipientId":102})"),
            "NOT_IN_ROOM");
  ExpectNothing({&client});
}

}  // namespace
}  // namespace msab::e2e
