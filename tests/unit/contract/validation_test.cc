// Every rule of a payload: what is refused, where, and what the emitter is told; and that the
// values at a rule's edge pass.
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/unit/contract/emit.h"

namespace msab {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Bad {
  const char* title;
  const char* emit;
  const char* field;
  const char* description;
};

void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.title; }

class RefusedTest : public testing::TestWithParam<Bad> {};

TEST_P(RefusedTest, NamesTheFieldAndWhatWouldBeRight) {
  const Catalog::Prepared prepared = Prepare(GetParam().emit);
  EXPECT_EQ(prepared.entry, nullptr);
  EXPECT_THAT(Lines(prepared.violations),
              ElementsAre(std::string(GetParam().field) + ": " + GetParam().description));
}

constexpr char kIdRule[] = "is out of range: must be a whole number from 1 to 9007199254740991";
constexpr char kDecimalRule[] =
    "is no decimal number: must be a string such as \"1500\" or \"-0.25\", with at most 30 digits "
    "and 8 decimals";

constexpr Bad kBad[] = {
    {"no_event", R"({"target":{"user_id":42}})", "event",
     "is required: must be one of the events of the contract, or custom"},
    {"required_id", R"({"balance_updated":{"coins":"1"}})", "user_id", "is required"},
    {"null_for_required", R"({"balance_updated":{"user_id":null}})", "user_id", "is required"},
    {"zero_id", R"({"balance_updated":{"user_id":0}})", "user_id", kIdRule},
    {"negative_id", R"({"balance_updated":{"user_id":-1}})", "user_id", kIdRule},
    {"id_past_2_53", R"({"balance_updated":{"user_id":"9007199254740992"}})", "user_id", kIdRule},
    {"decimal_empty", R"({"balance_updated":{"user_id":1,"coins":""}})", "coins", kDecimalRule},
    {"decimal_word", R"({"balance_updated":{"user_id":1,"coins":"many"}})", "coins", kDecimalRule},
    {"decimal_plus", R"({"balance_updated":{"user_id":1,"coins":"+1"}})", "coins", kDecimalRule},
    {"decimal_point_last", R"({"balance_updated":{"user_id":1,"coins":"1."}})", "coins",
     kDecimalRule},
    {"decimal_point_first", R"({"balance_updated":{"user_id":1,"coins":".5"}})", "coins",
     kDecimalRule},
    {"decimal_two_points", R"({"balance_updated":{"user_id":1,"coins":"1.2.3"}})", "coins",
     kDecimalRule},
    {"decimal_exponent", R"({"balance_updated":{"user_id":1,"coins":"1e3"}})", "coins",
     kDecimalRule},
    {"decimal_31_digits",
     R"({"balance_updated":{"user_id":1,"coins":"1234567890123456789012345678901"}})", "coins",
     kDecimalRule},
    {"decimal_9_decimals", R"({"balance_updated":{"user_id":1,"coins":"1.123456789"}})", "coins",
     kDecimalRule},
    {"decimal_newline", R"({"balance_updated":{"user_id":1,"coins":"1\n"}})", "coins",
     kDecimalRule},
    {"required_message", R"({"reward_earned":{"user_id":1}})", "reward", "is required"},
    {"nested_path",
     R"({"reward_earned":{"user_id":1,"reward":{"id":1,"type":"x","description":""}}})",
     "reward.amount", "is required"},
    {"empty_string",
     R"({"reward_earned":{"user_id":1,"reward":{"id":1,"type":"x","amount":"","description":""}}})",
     "reward.amount", "is empty: must have 1 to 64 bytes"},
    {"closed_set",
     R"({"badge_earned":{"user_id":1,"badge":{"id":1,"name":"n","image_url":"u","category":"Wealth"}}})",
     "badge.category", R"(must be one of "wealth", "charm", "room", "special")"},
    {"negative_tier",
     R"({"income_target_completed":{"user_id":1,"target":{"id":1,"tier":-1,"reward_coins":"1"}}})",
     "target.tier", "is out of range: must be a whole number from 0 to 2147483647"},
    {"nullable_but_empty",
     R"({"target":{"user_id":1},"agency_join_request":{"request_id":1,"user":{"id":2,"name":"B","avatar":""}}})",
     "user.avatar", "is empty: must have 1 to 2048 bytes"},
    {"list_empty", R"({"asset_invalidate":{}})", "asset_ids", "has 0 items: must have 1 to 1000"},
    {"list_item", R"({"asset_invalidate":{"asset_ids":["a","b","","d"]}})", "asset_ids[2]",
     "is empty: must have 1 to 256 bytes"},
    {"list_of_ids",
     R"({"gift_received":{"senderId":1,"roomId":"42","giftId":7,"recipientIds":[43,0],"quantity":1,"transactionId":"t"}})",
     "recipientIds[1]", kIdRule},
    {"room_id", R"({"speaker_active":{"roomId":"no spaces","userId":"","timestamp":1}})", "roomId",
     "is no room id: must be 1 to 64 of A-Z a-z 0-9 _ : . -"},
    {"timestamp", R"({"speaker_active":{"roomId":"r","userId":"","timestamp":-1}})", "timestamp",
     "is out of range: must be a whole number from 0 to 9007199254740991"},
    {"claim_over_a_field",
     R"({"room_userJoined":{"roomId":"42","userId":1,"user":{"id":1,"name":"A","claims":{"id":2}}}})",
     "user.id", "is a field of its own: not allowed in claims"},
};

INSTANTIATE_TEST_SUITE_P(Rules, RefusedTest, testing::ValuesIn(kBad),
                         [](const auto& info) { return std::string(info.param.title); });

TEST(Validation, ReportsEveryViolatedField) {
  const Catalog::Prepared prepared = Prepare(
      R"({"event_id":"","ttl":"0s","target":{"user_id":7},
          "reward_earned":{"user_id":1,"reward":{"id":0,"amount":"","description":"x"}}})");
  EXPECT_EQ(prepared.entry, nullptr);
  EXPECT_THAT(Fields(prepared.violations), ElementsAre("reward.id", "reward.type", "reward.amount",
                                                       "target", "ttl", "event_id"));
}

TEST(Validation, SaysOnceThatTheOneNamedIsMissing) {
  EXPECT_THAT(Fields(Prepare(R"({"balance_updated":{}})").violations), ElementsAre("user_id"));
}

TEST(Validation, NeverRepeatsAValue) {
  const Catalog::Prepared prepared = Prepare(
      R"({"config_invalidate":{"type":"s3cret","version":""},"target":{"room_id":"s3cret"}})");
  EXPECT_THAT(prepared.violations, SizeIs(3));
  for (const std::string& line : Lines(prepared.violations)) {
    EXPECT_THAT(line, testing::Not(testing::HasSubstr("s3cret")));
  }
}

TEST(Validation, BoundsTheNumberOfItsComplaints) {
  v1::EmitEventRequest request;
  for (int i = 0; i < 1000; ++i) request.mutable_asset_invalidate()->add_asset_ids("");
  const Catalog::Prepared prepared = PlainCatalog().Prepare(request, kNow);
  ASSERT_THAT(prepared.violations, SizeIs(Violations::kMaxViolations + 1));
  EXPECT_EQ(prepared.violations.back().description, "936 more violations");
}

// A string field, one byte short of, at and past its bounds.
struct Length {
  const char* title;
  const char* before;  // the emit, around the value
  const char* after;
  size_t min;
  size_t max;
};

void PrintTo(const Length& length, std::ostream* out) { *out << length.title; }

class LengthTest : public testing::TestWithParam<Length> {
 protected:
  static bool Accepts(size_t bytes) {
    return Prepare(GetParam().before + std::string(bytes, 'x') + GetParam().after).entry != nullptr;
  }
};

TEST_P(LengthTest, HoldsAtBothEnds) {
  EXPECT_TRUE(Accepts(GetParam().min));
  EXPECT_TRUE(Accepts(GetParam().max));
  EXPECT_FALSE(Accepts(GetParam().max + 1));
  if (GetParam().min > 0) {
    EXPECT_FALSE(Accepts(GetParam().min - 1));
  }
}

constexpr Length kLengths[] = {
    {"amount",
     R"({"reward_earned":{"user_id":1,"reward":{"id":1,"type":"x","description":"","amount":")",
     R"("}}})", 1, 64},
    {"type",
     R"({"reward_earned":{"user_id":1,"reward":{"id":1,"amount":"x","description":"","type":")",
     R"("}}})", 1, 256},
    {"description",
     R"({"reward_earned":{"user_id":1,"reward":{"id":1,"amount":"x","type":"x","description":")",
     R"("}}})", 0, 2000},
    {"image_url",
     R"({"badge_earned":{"user_id":1,"badge":{"id":1,"name":"n","category":"room","image_url":")",
     R"("}}})", 1, 2048},
    {"name", R"({"target":{"user_id":1},"agency_dissolved":{"agency_id":1,"agency_name":")",
     R"("}})", 1, 256},
    {"logo",
     R"({"target":{"user_id":1},"agency_invitation":{"invitation_id":1,"invited_by":{"id":1,"name":"n"},"agency":{"id":1,"name":"n","logo":")",
     R"("}}})", 1, 2048},
    {"message",
     R"({"target":{"user_id":1},"agency_join_request":{"request_id":1,"user":{"id":1,"name":"n"},"message":")",
     R"("}})", 0, 2000},
    {"reason",
     R"({"target":{"user_id":1},"agency_member_kicked":{"agency_id":1,"agency_name":"n","reason":")",
     R"("}})", 0, 2000},
    {"version", R"({"config_invalidate":{"type":"all","version":")", R"("}})", 1, 64},
    {"asset_id", R"({"asset_invalidate":{"asset_ids":[")", R"("]}})", 1, 256},
    {"room_id", R"({"room_userLeft":{"userId":1,"roomId":")", R"("}})", 1, 64},
    {"event_id", R"({"config_invalidate":{"type":"all"},"event_id":")", R"("})", 1, 128},
    {"except_connection_id", R"({"config_invalidate":{"type":"all"},"except_connection_id":")",
     R"("})", 0, 128},
};

INSTANTIATE_TEST_SUITE_P(Strings, LengthTest, testing::ValuesIn(kLengths),
                         [](const auto& info) { return std::string(info.param.title); });

TEST(Validation, TakesAThousandAssetsAndNoMore) {
  v1::EmitEventRequest request;
  for (int i = 0; i < 1000; ++i) request.mutable_asset_invalidate()->add_asset_ids("a");
  EXPECT_NE(PlainCatalog().Prepare(request, kNow).entry, nullptr);
  request.mutable_asset_invalidate()->add_asset_ids("a");
  EXPECT_THAT(Lines(PlainCatalog().Prepare(request, kNow).violations),
              ElementsAre("asset_ids: has 1001 items: must have 1 to 1000"));
}

// 64 KiB of JSON exactly: {"asset_ids":["…","…"]} costs 16 bytes around, 3 per further item.
TEST(Validation, BoundsThePayload) {
  v1::EmitEventRequest request;
  v1::AssetInvalidate& event = *request.mutable_asset_invalidate();
  size_t size = std::string(R"({"asset_ids":[]})").size();
  while (size + 259 <= 64 * 1024) {
    event.add_asset_ids(std::string(256, 'x'));
    size += 259 - (event.asset_ids_size() == 1 ? 1 : 0);
  }
  event.add_asset_ids(std::string(64 * 1024 - size - 3, 'x'));
  const Catalog::Prepared largest = PlainCatalog().Prepare(request, kNow);
  ASSERT_NE(largest.entry, nullptr);
  EXPECT_EQ(largest.entry->payload.size(), 64 * 1024);
  event.mutable_asset_ids(event.asset_ids_size() - 1)->push_back('x');
  EXPECT_THAT(Lines(PlainCatalog().Prepare(request, kNow).violations),
              ElementsAre("payload: is larger than 64 KiB as JSON: must be at most that"));
}

TEST(Validation, RefusesTextThatIsNotUtf8) {
  v1::EmitEventRequest request;
  request.mutable_config_invalidate()->set_type("all");
  request.mutable_config_invalidate()->set_version("\xff");
  EXPECT_THAT(Lines(PlainCatalog().Prepare(request, kNow).violations),
              ElementsAre("version: is not valid UTF-8"));
}

TEST(Validation, CountsCharactersWhereItSaysSo) {
  v1::EmitEventRequest request =
      Request(R"({"chat_message":{"id":"m","roomId":"r","userId":1,"userName":"A","content":"x",
                                  "type":"text","timestamp":1}})");
  std::string id;
  for (int i = 0; i < 64; ++i) id += "€";
  request.mutable_chat_message()->set_client_id(id);
  EXPECT_NE(PlainCatalog().Prepare(request, kNow).entry, nullptr);
  request.mutable_chat_message()->set_client_id(id + "€");
  EXPECT_THAT(Lines(PlainCatalog().Prepare(request, kNow).violations),
              ElementsAre("clientId: has 65 characters: must have 1 to 64"));
}

}  // namespace
}  // namespace msab
