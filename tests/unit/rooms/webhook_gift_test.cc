#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "boost/json/parse.hpp"
#include "tests/unit/rooms/rooms_fixture.h"

namespace msab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Kind = WebhookResult::Kind;

// Gifts that an application decides on.
class WebhookGiftTest : public RoomsFixture {
 protected:
  WebhookGiftTest()
      : webhook(ConnectApplication()),
        anna(Connect("c1", 1)),
        phone(Connect("c2", 1, 1)),
        ben(Connect("c3", 2, 1)) {
    Enter(anna, "lobby");
    Enter(phone, "lobby");
    Enter(ben, "lobby");
  }
  void Give(Client& client, const std::string& transaction = "t-1") {
    Ask(client, "gift:send",
        absl::StrCat(R"({"roomId":"lobby","giftId":7,"recipientIds":[2,3],"quantity":5,)",
                     R"("batchId":"b","transactionId":")", transaction, "\"}"));
  }

  FakeWebhook& webhook;
  Client& anna;
  Client& phone;
  Client& ben;
};

TEST_F(WebhookGiftTest, TheApplicationGetsTheGift) {
  Give(anna);
  ASSERT_THAT(webhook.commands, SizeIs(1));
  const WebhookCommand& command = webhook.commands[0];
  EXPECT_EQ(command.type, "gift:send");
  EXPECT_EQ(command.user, 1);
  EXPECT_EQ(command.connection_id, "c1");
  EXPECT_EQ(boost::json::parse(command.data),
            boost::json::parse(R"({"roomId":"lobby","giftId":7,"recipientIds":[2,3],"quantity":5,)"
                               R"("batchId":"b","transactionId":"t-1"})"));
  Run();
  EXPECT_THAT(anna.journal, IsEmpty()) << "nothing is said before Laravel said yes";
}

TEST_F(WebhookGiftTest, AcceptedTheRoomIsTold) {
  Give(anna);
  webhook.Accept(0, R"({"acceptedRecipientIds":[2,3]})");
  Run();
  EXPECT_THAT(anna.journal, ElementsAre(R"({"transactionId":"t-1","acceptedRecipientIds":[2,3]})"));
  EXPECT_THAT(phone.journal, ElementsAre("gift:received"));
  EXPECT_THAT(ben.journal, ElementsAre("gift:received"));
  EXPECT_EQ(ben.events[0]->event_id, "gift:1:t-1");
  EXPECT_EQ(boost::json::parse(ben.events[0]->payload),
            boost::json::parse(R"({"senderId":1,"roomId":"lobby","giftId":7,"recipientIds":[2,3],)"
                               R"("quantity":5,"batchId":"b","transactionId":"t-1"})"));
}

TEST_F(WebhookGiftTest, OnlyThoseWhoGotItAreShown) {
  Give(anna);
  webhook.Accept(0, R"({"acceptedRecipientIds":[99,3,"2"]})");
  Give(anna, "t-2");
  webhook.Accept(1, R"({"acceptedRecipientIds":[]})");
  Give(anna, "t-3");
  webhook.Accept(2, R"({"acceptedRecipientIds":7})");
  Run();
  EXPECT_EQ(anna.json(0).at("acceptedRecipientIds"), boost::json::parse("[3]"));
  EXPECT_EQ(anna.json(1).at("acceptedRecipientIds"), boost::json::parse("[]"));
  EXPECT_EQ(anna.json(2).at("acceptedRecipientIds"), boost::json::parse("[2,3]"))
      << "no list that one could read: all";
  ASSERT_THAT(ben.events, SizeIs(2));
  const boost::json::value one = boost::json::parse(ben.events[0]->payload);
  EXPECT_EQ(one.at("recipientIds"), boost::json::parse("[3]"));
  EXPECT_EQ(one.at("recipientId").as_int64(), 3);
}

TEST_F(WebhookGiftTest, ARepeatIsAnsweredAndNotShownAgain) {
  Give(anna);
  Give(phone);
  webhook.Accept(0);
  webhook.Accept(1);
  Run();
  EXPECT_THAT(anna.answers, SizeIs(1));
  EXPECT_THAT(phone.answers, SizeIs(1));
  EXPECT_THAT(ben.journal, ElementsAre("gift:received"));
}

TEST_F(WebhookGiftTest, RejectedTheSenderIsToldEverywhere) {
  Give(anna);
  webhook.Reject(0, "INSUFFICIENT_BALANCE", "not enough");
  Run();
  EXPECT_THAT(anna.journal, ElementsAre("REJECTED", "gift:error"));
  EXPECT_THAT(phone.journal, ElementsAre("gift:error"));
  EXPECT_THAT(ben.journal, IsEmpty());
  EXPECT_EQ(anna.error(0).message, "not enough");
  EXPECT_EQ(boost::json::parse(anna.error(0).details_json),
            boost::json::parse(
                R"({"transactionId":"t-1","code":"INSUFFICIENT_BALANCE","reason":"not enough"})"));
  EXPECT_EQ(boost::json::parse(phone.events[0]->payload),
            boost::json::parse(R"({"transactionId":"t-1","code":"INSUFFICIENT_BALANCE",)"
                               R"("reason":"not enough","batchId":"b"})"));
}

TEST_F(WebhookGiftTest, OtherOutcomes) {
  Give(anna, "t-1");
  webhook.Fail(0, Kind::kUnavailable);
  Run();
  EXPECT_THAT(anna.journal, ElementsAre("UPSTREAM_UNAVAILABLE", "gift:error"));
  Forget();
  Give(anna, "t-2");
  webhook.Fail(1, Kind::kFailed);
  Run();
  EXPECT_THAT(anna.journal, ElementsAre("INTERNAL", "gift:error"));
  Forget();
  Give(anna, "t-3");
  webhook.Fail(2, Kind::kOverloaded);
  Run();
  EXPECT_THAT(anna.journal, ElementsAre("RATE_LIMITED")) << "it was never begun";
  EXPECT_EQ(anna.error(0).retry_after_ms, 1'000);
}

TEST_F(WebhookGiftTest, ALateYesIsShownToTheRoomAlone) {
  Give(anna);
  webhook.Fail(0, Kind::kUnavailable);
  Run();
  Forget();
  webhook.Accept(0, "{}", /*late=*/true);
  Run();
  EXPECT_THAT(anna.journal, IsEmpty());
  EXPECT_THAT(ben.journal, ElementsAre("gift:received"));
}

TEST_F(WebhookGiftTest, TheAnswerDoesNotHangOnTheRoom) {
  Give(anna);
  inboxes_[1].full = true;
  webhook.Accept(0);
  Run();
  EXPECT_THAT(anna.answers, SizeIs(1));
  EXPECT_EQ(anna.json(0).at("transactionId").as_string(), "t-1");
}

}  // namespace
}  // namespace msab
