// The exact JSON of every event, as the requirement's TypeScript and the older events' readers
// expect it: in full, with nothing that may be left out, and with null where null is a value.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/contract/emit.h"

namespace msab {
namespace {

struct Golden {
  const char* title;
  const char* event;  // the wire name
  const char* emit;   // the request
  const char* payload;
};

void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.title; }

class GoldenTest : public testing::TestWithParam<Golden> {};

TEST_P(GoldenTest, IsExact) {
  const Catalog::Prepared prepared = Prepare(GetParam().emit);
  EXPECT_THAT(Lines(prepared.violations), testing::IsEmpty());
  ASSERT_NE(prepared.entry, nullptr);
  EXPECT_EQ(prepared.entry->payload, GetParam().payload);
  EXPECT_EQ(prepared.entry->name, GetParam().event);
  EXPECT_EQ(prepared.entry->type, PlainCatalog().Find(GetParam().event));
}

constexpr Golden kGoldens[] = {
    {"balance_updated_full", "balance.updated",
     R"({"balance_updated":{"user_id":42,"coins":"1500","diamonds":"0","wealth_xp":"-3.25","charm_xp":"12345678901234567890"}})",
     R"({"user_id":42,"coins":"1500","diamonds":"0","wealth_xp":"-3.25","charm_xp":"12345678901234567890"})"},
    {"balance_updated_minimal", "balance.updated", R"({"balance_updated":{"user_id":42}})",
     R"({"user_id":42})"},
    {"balance_updated_null_is_absent", "balance.updated",
     R"({"balance_updated":{"user_id":42,"coins":null,"diamonds":"7"}})",
     R"({"user_id":42,"diamonds":"7"})"},
    {"balance_updated_largest_id", "balance.updated",
     R"({"balance_updated":{"user_id":9007199254740991}})", R"({"user_id":9007199254740991})"},
    {"reward_earned", "reward.earned",
     R"({"reward_earned":{"user_id":42,"reward":{"id":7,"type":"coins","amount":"500","description":"Daily \"login\""}}})",
     R"({"user_id":42,"reward":{"id":7,"type":"coins","amount":"500","description":"Daily \"login\""}})"},
    {"reward_earned_empty_description", "reward.earned",
     R"({"reward_earned":{"user_id":42,"reward":{"id":7,"type":"frame","amount":"gold","description":""}}})",
     R"({"user_id":42,"reward":{"id":7,"type":"frame","amount":"gold","description":""}})"},
    {"badge_earned", "badge.earned",
     R"({"badge_earned":{"user_id":42,"badge":{"id":3,"name":"Kämpfer","image_url":"https://cdn.example/b/3.png","category":"wealth"}}})",
     R"({"user_id":42,"badge":{"id":3,"name":"Kämpfer","image_url":"https://cdn.example/b/3.png","category":"wealth"}})"},
    {"income_target_completed", "income_target.completed",
     R"({"income_target_completed":{"user_id":42,"target":{"id":9,"tier":0,"reward_coins":"1000"}}})",
     R"({"user_id":42,"target":{"id":9,"tier":0,"reward_coins":"1000"}})"},
    {"room_level_up", "room.level_up",
     R"({"room_level_up":{"room_id":42,"new_level":2147483647,"new_room_xp":"99.5"}})",
     R"({"room_id":42,"new_level":2147483647,"new_room_xp":"99.5"})"},
    {"agency_invitation", "agency.invitation",
     R"({"target":{"user_id":42},"agency_invitation":{"invitation_id":1,"agency":{"id":2,"name":"Stars","logo":"https://cdn.example/a.png"},"invited_by":{"id":3,"name":"Ann"}}})",
     R"({"invitation_id":1,"agency":{"id":2,"name":"Stars","logo":"https://cdn.example/a.png"},"invited_by":{"id":3,"name":"Ann"}})"},
    {"agency_invitation_without_logo", "agency.invitation",
     R"({"target":{"user_id":42},"agency_invitation":{"invitation_id":1,"agency":{"id":2,"name":"Stars"},"invited_by":{"id":3,"name":"Ann"}}})",
     R"({"invitation_id":1,"agency":{"id":2,"name":"Stars","logo":null},"invited_by":{"id":3,"name":"Ann"}})"},
    {"agency_join_request", "agency.join_request",
     R"({"target":{"user_id":42},"agency_join_request":{"request_id":1,"user":{"id":2,"name":"Bob","avatar":"https://cdn.example/b.png"},"message":"Hi\nthere"}})",
     R"({"request_id":1,"user":{"id":2,"name":"Bob","avatar":"https://cdn.example/b.png"},"message":"Hi\nthere"})"},
    {"agency_join_request_minimal", "agency.join_request",
     R"({"target":{"user_id":42},"agency_join_request":{"request_id":1,"user":{"id":2,"name":"Bob","avatar":null}}})",
     R"({"request_id":1,"user":{"id":2,"name":"Bob","avatar":null}})"},
    {"agency_join_request_empty_message", "agency.join_request",
     R"({"target":{"user_id":42},"agency_join_request":{"request_id":1,"user":{"id":2,"name":"Bob"},"message":""}})",
     R"({"request_id":1,"user":{"id":2,"name":"Bob","avatar":null},"message":""})"},
    {"agency_join_request_approved", "agency.join_request_approved",
     R"({"target":{"user_id":42},"agency_join_request_approved":{"agency_id":2,"agency_name":"Stars"}})",
     R"({"agency_id":2,"agency_name":"Stars"})"},
    {"agency_join_request_rejected", "agency.join_request_rejected",
     R"({"target":{"user_id":42},"agency_join_request_rejected":{"agency_id":2,"agency_name":"Stars"}})",
     R"({"agency_id":2,"agency_name":"Stars"})"},
    {"agency_member_kicked", "agency.member_kicked",
     R"({"target":{"user_id":42},"agency_member_kicked":{"agency_id":2,"agency_name":"Stars","reason":"inactive"}})",
     R"({"agency_id":2,"agency_name":"Stars","reason":"inactive"})"},
    {"agency_member_kicked_minimal", "agency.member_kicked",
     R"({"target":{"user_id":42},"agency_member_kicked":{"agency_id":2,"agency_name":"Stars"}})",
     R"({"agency_id":2,"agency_name":"Stars"})"},
    {"agency_dissolved", "agency.dissolved",
     R"({"target":{"user_ids":{"ids":[42,43]}},"agency_dissolved":{"agency_id":2,"agency_name":"Stars"}})",
     R"({"agency_id":2,"agency_name":"Stars"})"},
    {"config_invalidate", "config:invalidate",
     R"({"config_invalidate":{"type":"levels","version":"2026-01"}})",
     R"({"type":"levels","version":"2026-01"})"},
    {"config_invalidate_minimal", "config:invalidate", R"({"config_invalidate":{"type":"all"}})",
     R"({"type":"all"})"},
    {"asset_invalidate", "asset:invalidate", R"({"asset_invalidate":{"asset_ids":["a/1","b"]}})",
     R"({"asset_ids":["a/1","b"]})"},
    {"gift_received_full", "gift:received",
     R"({"gift_received":{"senderId":1,"roomId":"42","giftId":7,"recipientIds":[43],"recipientId":43,"quantity":99,"batchId":"b1","transactionId":"t1"}})",
     R"({"senderId":1,"roomId":"42","giftId":7,"recipientIds":[43],"recipientId":43,"quantity":99,"batchId":"b1","transactionId":"t1"})"},
    {"gift_received_minimal", "gift:received",
     R"({"gift_received":{"sender_id":1,"room_id":"42","gift_id":7,"recipient_ids":[43,44],"quantity":1,"transaction_id":"t1"}})",
     R"({"senderId":1,"roomId":"42","giftId":7,"recipientIds":[43,44],"quantity":1,"transactionId":"t1"})"},
    {"gift_error_full", "gift:error",
     R"({"target":{"user_id":42},"gift_error":{"transactionId":"t1","code":"INSUFFICIENT_BALANCE","reason":"Not enough coins","batchId":"b1"}})",
     R"({"transactionId":"t1","code":"INSUFFICIENT_BALANCE","reason":"Not enough coins","batchId":"b1"})"},
    {"gift_error_minimal", "gift:error",
     R"({"target":{"user_id":42},"gift_error":{"transactionId":"t1","code":"X","reason":""}})",
     R"({"transactionId":"t1","code":"X","reason":""})"},
    {"chat_message_full", "chat:message",
     R"({"chat_message":{"id":"m1","roomId":"42","userId":1,"userName":"Ann","userAvatar":"https://cdn.example/a.png","userFrameId":5,"userChatBubbleId":6,"content":"héllo 👋","type":"text","timestamp":1767225600000,"clientId":"c1"}})",
     R"({"id":"m1","roomId":"42","userId":1,"userName":"Ann","userAvatar":"https://cdn.example/a.png","userFrameId":5,"userChatBubbleId":6,"content":"héllo 👋","type":"text","timestamp":1767225600000,"clientId":"c1"})"},
    {"chat_message_minimal", "chat:message",
     R"({"chat_message":{"id":"m1","roomId":"a.b:c-d_e","userId":1,"userName":"Ann","content":"x","type":"system","timestamp":0}})",
     R"({"id":"m1","roomId":"a.b:c-d_e","userId":1,"userName":"Ann","userAvatar":null,"content":"x","type":"system","timestamp":0})"},
    {"room_user_joined_full", "room:userJoined",
     R"({"room_userJoined":{"roomId":"42","userId":1,"user":{"id":1,"name":"Ann","avatar":"https://cdn.example/a.png","claims":{"vip_level":3,"gender":"f","wealth_xp":"12","country":null}}}})",
     R"({"roomId":"42","userId":1,"user":{"id":1,"name":"Ann","avatar":"https://cdn.example/a.png","country":null,"gender":"f","vip_level":3,"wealth_xp":"12"}})"},
    {"room_user_joined_minimal", "room:userJoined",
     R"({"room_userJoined":{"roomId":"42","userId":1,"user":{"id":1,"name":"Ann"}}})",
     R"({"roomId":"42","userId":1,"user":{"id":1,"name":"Ann","avatar":null}})"},
    {"room_user_left", "room:userLeft", R"({"room_userLeft":{"roomId":"42","userId":1}})",
     R"({"roomId":"42","userId":1})"},
    {"speaker_active", "speaker:active",
     R"({"speaker_active":{"roomId":"42","userId":"1","activeSpeakers":["1","2"],"timestamp":1767225600000}})",
     R"({"roomId":"42","userId":"1","activeSpeakers":["1","2"],"timestamp":1767225600000})"},
    {"speaker_active_silence", "speaker:active",
     R"({"speaker_active":{"roomId":"42","userId":"","timestamp":1767225600000}})",
     R"({"roomId":"42","userId":"","activeSpeakers":[],"timestamp":1767225600000})"},
};

INSTANTIATE_TEST_SUITE_P(Events, GoldenTest, testing::ValuesIn(kGoldens),
                         [](const auto& info) { return std::string(info.param.title); });

TEST(GoldenTable, HasEveryEventOfTheCatalog) {
  std::vector<std::string> declared, tested;
  for (const EventType* type : PlainCatalog().types()) declared.push_back(type->name);
  for (const Golden& golden : kGoldens) {
    if (tested.empty() || tested.back() != golden.event) tested.push_back(golden.event);
  }
  EXPECT_THAT(tested, testing::UnorderedElementsAreArray(declared));
}

}  // namespace
}  // namespace msab
