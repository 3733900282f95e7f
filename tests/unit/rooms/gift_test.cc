#include "server/rooms/gift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/serialize.hpp"
#include "tests/unit/rooms/rooms_fixture.h"

namespace msab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Holds what it is given until told what to say.
class SlowGateway final : public GiftGateway {
 public:
  void Submit(Gift gift, Done done) override {
    gifts.push_back(std::move(gift));
    dones.push_back(std::move(done));
  }
  std::vector<Gift> gifts;
  std::vector<Done> dones;
};

class GiftTest : public RoomsFixture {
 protected:
  SlowGateway& UseSlowGateway() {
    auto gateway = std::make_unique<SlowGateway>();
    SlowGateway& slow = *gateway;
    commands_.reset();
    gateway_ = std::move(gateway);
    Configure({});
    return slow;
  }

  static std::vector<std::string> BadFields(const CommandError& error) {
    std::vector<std::string> fields;
    const boost::json::value details = boost::json::parse(error.details_json);
    for (const boost::json::value& detail : details.as_array()) {
      fields.emplace_back(detail.at("field").as_string());
    }
    return fields;
  }
};

TEST_F(GiftTest, WithoutAnApplicationAllOfTheSendersConnectionsAreTold) {
  Client& anna = Connect("c1", 1);
  Client& phone = Connect("c2", 1, 1);
  Client& ben = Connect("c3", 2);
  Enter(anna, "lobby");
  Enter(ben, "lobby");
  Ask(anna, "gift:send",
      R"({"roomId":"lobby","giftId":7,"recipientId":2,"batchId":"b1","transactionId":"t-1"})");
  Run();
  // The answer precedes the sender's own copy.
  EXPECT_THAT(anna.journal, ElementsAre("UPSTREAM_UNAVAILABLE", "gift:error"));
  EXPECT_EQ(anna.error(0).details_json, R"({"transactionId":"t-1"})");
  EXPECT_THAT(phone.journal, ElementsAre("gift:error"));
  EXPECT_THAT(ben.journal, IsEmpty());
  const boost::json::value payload = boost::json::parse(phone.events[0]->payload);
  EXPECT_EQ(payload.at("transactionId").as_string(), "t-1");
  EXPECT_EQ(payload.at("code").as_string(), "UPSTREAM_UNAVAILABLE");
  EXPECT_EQ(payload.at("batchId").as_string(), "b1");
  EXPECT_EQ(payload.at("reason").as_string(), boost::json::string(anna.error(0).message));
}

TEST_F(GiftTest, AMissingTransactionIdIsMinted) {
  Client& anna = Connect("c1", 1);
  Enter(anna, "lobby");
  for (int i = 0; i < 2; ++i) {
    Ask(anna, "gift:send", R"({"roomId":"lobby","giftId":7,"recipientIds":[2]})");
  }
  Run();
  ASSERT_EQ(anna.events.size(), 2U);
  std::vector<boost::json::string> ids;
  for (const EntryPtr& event : anna.events) {
    const boost::json::object payload = boost::json::parse(event->payload).as_object();
    EXPECT_FALSE(payload.contains("batchId"));
    ids.push_back(payload.at("transactionId").as_string());
  }
  EXPECT_FALSE(ids[0].empty());
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_EQ(anna.error(0).details_json,
            boost::json::serialize(boost::json::object{{"transactionId", ids[0]}}));
}

TEST_F(GiftTest, TheGatewayGetsTheWholeGift) {
  SlowGateway& gateway = UseSlowGateway();
  Client& anna = Connect("c1", 1);
  Enter(anna, "lobby");
  Ask(anna, "gift:send",
      R"({"roomId":"lobby","giftId":7,"recipientIds":[3,2],"quantity":9999,"batchId":"b",)"
      R"("transactionId":"t"})");
  Ask(anna, "gift:send", R"({"roomId":"lobby","giftId":8,"recipientId":4})");
  ASSERT_EQ(gateway.gifts.size(), 2U);
  const Gift& full = gateway.gifts[0];
  EXPECT_EQ(full.sender, 1);
  EXPECT_EQ(full.connection_id, "c1");
  EXPECT_EQ(full.room, "lobby");
  EXPECT_EQ(full.gift_id, 7);
  EXPECT_THAT(full.recipients, ElementsAre(3, 2));
  EXPECT_EQ(full.quantity, 9999);
  EXPECT_EQ(full.batch_id, "b");
  EXPECT_EQ(full.transaction_id, "t");
  const Gift& least = gateway.gifts[1];
  EXPECT_THAT(least.recipients, ElementsAre(4));
  EXPECT_EQ(least.quantity, 1);
  EXPECT_EQ(least.batch_id, "");
  EXPECT_FALSE(least.transaction_id.empty());
}

TEST_F(GiftTest, ALateRefusalStillReachesTheUserWhoReconnected) {
  SlowGateway& gateway = UseSlowGateway();
  Client& anna = Connect("c1", 1);
  Enter(anna, "lobby");
  Ask(anna, "gift:send", R"({"roomId":"lobby","giftId":7,"recipientId":2})");
  Disconnect(anna);
  Client& again = Connect("c2", 1, 1);
  gateway.dones[0](GiftRefused{.code = "UPSTREAM_UNAVAILABLE", .reason = "no answer"});
  Run();
  EXPECT_THAT(again.journal, ElementsAre("gift:error"));
}

TEST_F(GiftTest, TheAnswerComesEvenWhereTheEventCannot) {
  Client& anna = Connect("c1", 1);
  Client& phone = Connect("c2", 1, 1);
  Enter(anna, "lobby");
  inboxes_[1].full = true;
  Ask(anna, "gift:send", R"({"roomId":"lobby","giftId":7,"recipientId":2})");
  Run();
  EXPECT_THAT(anna.journal, ElementsAre("UPSTREAM_UNAVAILABLE"));
  EXPECT_THAT(phone.journal, IsEmpty());
}

TEST_F(GiftTest, OnlyFromWithinTheRoom) {
  SlowGateway& gateway = UseSlowGateway();
  Client& anna = Connect("c1", 1);
  Ask(anna, "gift:send", R"({"roomId":"lobby","giftId":7,"recipientId":2})");
  EXPECT_THAT(anna.journal, ElementsAre("NOT_IN_ROOM"));
  EXPECT_THAT(gateway.gifts, IsEmpty());
}

TEST_F(GiftTest, EveryRuleOfThePayload) {
  SlowGateway& gateway = UseSlowGateway();
  Client& anna = Connect("c1", 1);
  Enter(anna, "lobby");
  std::string ids30 = "1";
  for (int i = 2; i <= 30; ++i) absl::StrAppend(&ids30, ",", i);
  const auto ask = [&](std::string_view rest) -> std::optional<std::vector<std::string>> {
    const size_t before = gateway.gifts.size();
    anna.answers.clear();
    Ask(anna, "gift:send", absl::StrCat(R"({"roomId":"lobby","giftId":7)", std::string(rest), "}"));
    if (gateway.gifts.size() > before) return std::nullopt;
    EXPECT_EQ(anna.error(0).code, "INVALID_PAYLOAD");
    return BadFields(anna.error(0));
  };
  EXPECT_FALSE(ask(absl::StrCat(R"(,"recipientIds":[)", ids30, "]")));
  EXPECT_FALSE(ask(R"(,"recipientId":9007199254740991,"quantity":1)"));
  EXPECT_THAT(*ask(absl::StrCat(R"(,"recipientIds":[)", ids30, ",31]")),
              ElementsAre("recipientIds"));
  EXPECT_THAT(*ask(R"(,"recipientIds":[2,3,2,3])"), ElementsAre("recipientIds[2]"));
  EXPECT_THAT(*ask(R"(,"recipientIds":[2,2],"quantity":0)"),
              ElementsAre("quantity", "recipientIds[1]"));
  EXPECT_THAT(*ask(R"(,"recipientIds":[0])"), ElementsAre("recipientIds[0]"));
  EXPECT_THAT(*ask(R"(,"recipientIds":["2"])"), ElementsAre("recipientIds[0]"));
  EXPECT_EQ(ask(R"(,"recipientIds":[])")->size(), 1U);
  EXPECT_EQ(ask("")->size(), 1U);
  EXPECT_EQ(ask(R"(,"recipientId":2,"recipientIds":[3])")->size(), 1U);
  EXPECT_THAT(*ask(R"(,"recipientId":9007199254740992)"), ElementsAre("recipientId"));
  EXPECT_THAT(*ask(R"(,"recipientId":2,"quantity":10000)"), ElementsAre("quantity"));
  EXPECT_THAT(*ask(R"(,"recipientId":2,"quantity":1.5)"), ElementsAre("quantity"));
  EXPECT_THAT(*ask(R"(,"recipientId":2,"batchId":"")"), ElementsAre("batchId"));
  EXPECT_THAT(*ask(R"(,"recipientId":2,"transactionId":"")"), ElementsAre("transactionId"));
  EXPECT_FALSE(
      ask(absl::StrCat(R"(,"recipientId":2,"transactionId":")", std::string(100, 't'), "\"")));
  EXPECT_THAT(
      *ask(absl::StrCat(R"(,"recipientId":2,"transactionId":")", std::string(101, 't'), "\"")),
      ElementsAre("transactionId"));
}

TEST_F(GiftTest, ThePayloadIsCheckedBeforeMembership) {
  Client& anna = Connect("c1", 1);
  Ask(anna, "gift:send", R"({"roomId":"lobby"})");
  EXPECT_THAT(anna.journal, ElementsAre("INVALID_PAYLOAD"));
}

}  // namespace
}  // namespace msab
