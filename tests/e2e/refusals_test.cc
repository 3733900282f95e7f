// What is refused, how it is said, and that both doors say the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/e2e/harness/relay_test.h"
#include "tests/e2e/harness/wait.h"

namespace msab::e2e {
namespace {

using testing::HasSubstr;

constexpr char kAdminOnlyKey[] = "e2e-key-of-operations-0123456789";
constexpr char kSecondKey[] = "e2e-key-of-billing-0123456789abc";

std::vector<std::string> Fields(const Answer& answer) {
  std::vector<std::string> fields;
  for (const auto& [field, description] : answer.violations) {
    EXPECT_FALSE(description.empty()) << field;
    fields.push_back(field);
  }
  return fields;
}

class RefusalTest : public RelayTest, public testing::WithParamInterface<DoorKind> {
 protected:
  void SetUp() override {
    Start({.settings = {
               {"auth.api_keys", absl::StrCat("laravel:", kApiKey, ",ops:", kAdminOnlyKey,
                                              ":admin,billing:", kSecondKey, ":emit+admin")}}});
    door_ = OpenDoor(GetParam(), relay());
  }

  Answer Try(const std::string& request) { return door_->Emit(request); }

  // Refused with exactly these fields named; the message names them too.
  void ExpectViolations(const std::string& request, const std::vector<std::string>& fields) {
    const Answer answer = Try(request);
    EXPECT_EQ(answer.code, kInvalidArgument) << request;
    if (GetParam() == DoorKind::kTwin) {
      EXPECT_EQ(answer.http_status, 400);
    }
    EXPECT_EQ(Fields(answer), fields) << request << "\n" << testing::PrintToString(answer);
    for (const std::string& field : fields) {
      EXPECT_THAT(answer.message, HasSubstr(field)) << request;
    }
  }

  void ExpectCode(const Answer& answer, int code, int http_status) {
    EXPECT_EQ(answer.code, code) << testing::PrintToString(answer);
    if (GetParam() == DoorKind::kTwin) {
      EXPECT_EQ(answer.http_status, http_status);
    }
  }

  std::unique_ptr<Door> door_;
};

INSTANTIATE_TEST_SUITE_P(Doors, RefusalTest, testing::Values(DoorKind::kGrpc, DoorKind::kTwin),
                         [](const auto& info) { return DoorName(info.param); });

TEST_P(RefusalTest, NamesEveryViolatedField) {
  ExpectViolations(R"({"reward_earned":{"reward":{"type":"","amount":"5"}}})",
                   {"reward.description", "reward.id", "reward.type", "user_id"});
  ExpectViolations(R"({"badge_earned":{"user_id":0,"badge":{"id":-1,"name":"","image_url":"",)"
                   R"("category":"gold"}}})",
                   {"badge.category", "badge.id", "badge.image_url", "badge.name", "user_id"});
  ExpectViolations(R"({"income_target_completed":{"user_id":1}})", {"target"});
  ExpectViolations(R"({"room_level_up":{"new_level":-1,"new_room_xp":"1e5"}})",
                   {"new_level", "new_room_xp", "room_id"});
  ExpectViolations(R"({"asset_invalidate":{"asset_ids":["a","","b",""]}})",
                   {"asset_ids[1]", "asset_ids[3]"});
  ExpectViolations(R"({"asset_invalidate":{}})", {"asset_ids"});
  ExpectViolations(R"({"target":{"user_id":1},"agency_invitation":{"invitation_id":1,)"
                   R"("agency":{"id":1,"name":"A","logo":""},"invited_by":{}}})",
                   {"agency.logo", "invited_by.id", "invited_by.name"});
  ExpectViolations(R"({"gift_received":{"senderId":1,"roomId":"a b","giftId":1,)"
                   R"("recipientIds":[1,0],"quantity":0,"transactionId":""}})",
                   {"quantity", "recipientIds[1]", "roomId", "transactionId"});
}

TEST_P(RefusalTest, NumbersHaveTheirBounds) {
  const auto code = [this](const std::string& id) {
    return Try(absl::StrCat(R"({"balance_updated":{"user_id":)", id, "}}")).code;
  };
  EXPECT_EQ(code("1"), kOk);
  EXPECT_EQ(code("9007199254740991"), kOk);
  EXPECT_EQ(code("\"9007199254740991\""), kOk);
  EXPECT_EQ(code("9007199254740992"), kInvalidArgument);
  EXPECT_EQ(code("0"), kInvalidArgument);
  EXPECT_EQ(code("-5"), kInvalidArgument);
}

TEST_P(RefusalTest, DecimalsAreSpelledOneWay) {
  const auto code = [this](const std::string& coins) {
    return Try(absl::StrCat(R"({"balance_updated":{"user_id":1,"coins":)", Quoted(coins), "}}"))
        .code;
  };
  for (const std::string& good : {std::string("0"), std::string("-0.5"), std::string("007"),
                                  std::string(30, '9'), "1." + std::string(8, '1')}) {
    EXPECT_EQ(code(good), kOk) << good;
  }
  for (const std::string& bad :
       {std::string(""), std::string("+1"), std::string("1."), std::string(".5"),
        std::string("1,5"), std::string(" 1"), std::string("1e3"), std::string("١"),
        std::string("--1"), std::string(31, '9'), "1." + std::string(9, '1')}) {
    EXPECT_EQ(code(bad), kInvalidArgument) << bad;
  }
}

TEST_P(RefusalTest, TextsHaveTheirLengthsInBytes) {
  const auto code = [this](const std::string& name) {
    return Try(absl::StrCat(R"({"target":{"user_id":1},"agency_dissolved":{"agency_id":1,)",
                            R"("agency_name":)", Quoted(name), "}}"))
        .code;
  };
  EXPECT_EQ(code(std::string(256, 'x')), kOk);
  EXPECT_EQ(code(std::string(257, 'x')), kInvalidArgument);
  std::string umlauts;
  for (int i = 0; i < 129; ++i) umlauts += "ü";
  EXPECT_EQ(code(umlauts), kInvalidArgument);
  EXPECT_EQ(code(umlauts.substr(2)), kOk);
}

TEST_P(RefusalTest, TheTargetMustBeThereAndFit) {
  const std::string agency = R"("agency_dissolved":{"agency_id":1,"agency_name":"A"}})";
  const std::string level = R"("room_level_up":{"room_id":42,"new_level":1,"new_room_xp":"1"}})";
  const std::string config = R"("config_invalidate":{"type":"all"}})";
  const std::string reward = R"("reward_earned":{"user_id":1,"reward":{"id":1,"type":"t",)"
                             R"("amount":"1","description":""}}})";
  for (const std::string& bad : {
           "{" + agency,  // nobody named: never "everyone"
           R"({"target":{},)" + agency,
           R"({"target":{"everyone":{}},)" + agency,
           R"({"target":{"room_id":"42"},)" + agency,
           R"({"target":{"user_ids":{}},)" + agency,
           R"({"target":{"user_ids":{"ids":[1,0]}},)" + agency,
           R"({"target":{"user_id":0},)" + agency,
           R"({"target":{"user_id":9007199254740992},)" + agency,
           R"({"target":{"user_in_room":{"user_id":1}},)" + agency,
           R"({"target":{"user_in_room":{"room_id":"42"}},)" + agency,
           R"({"target":{"user_in_room":{"user_id":1,"room_id":"a b"}},)" + agency,
           R"({"target":{"room_id":"43"},)" + level,  // contradicts the payload
           R"({"target":{"user_id":1},)" + level,
           R"({"target":{"everyone":{}},)" + level,
           R"({"target":{"user_in_room":{"user_id":1,"room_id":"43"}},)" + level,
           R"({"target":{"user_id":1},)" + config,
           R"({"target":{"room_id":"42"},)" + config,
           R"({"target":{"user_id":2},)" + reward,
           R"({"target":{"user_ids":{"ids":[1,2]}},)" + reward,
           R"({"target":{"room_id":"42"},)" + reward,
       }) {
    const Answer answer = Try(bad);
    ExpectCode(answer, kInvalidArgument, 400);
    EXPECT_EQ(answer.violations.size(), 1U) << bad << testing::PrintToString(answer);
    for (const std::string& field : Fields(answer)) {
      EXPECT_THAT(field, testing::StartsWith("target")) << bad;
    }
  }
  EXPECT_TRUE(Try(R"({"target":{"room_id":"42"},)" + level).ok());
}

TEST_P(RefusalTest, AnEmitWithoutAnEventIsRefused) {
  EXPECT_EQ(Try(R"({"target":{"user_id":1}})").code, kInvalidArgument);
  EXPECT_EQ(Try("{}").code, kInvalidArgument);
}

TEST_P(RefusalTest, KeysAreChecked) {
  const std::string request = Marker(1, 1);
  for (const std::string key : {"", "wrong", kJwtSecret}) {
    ExpectCode(OpenDoor(GetParam(), relay(), key)->Emit(request), kUnauthenticated, 401);
    ExpectCode(OpenDoor(GetParam(), relay(), key)->GetCursor(), kUnauthenticated, 401);
    const std::vector<Answer> batch = OpenDoor(GetParam(), relay(), key)->EmitBatch({request});
    ASSERT_EQ(batch.size(), 1U);
    ExpectCode(batch[0], kUnauthenticated, 401);
  }
  ExpectCode(OpenDoor(GetParam(), relay(), kAdminOnlyKey)->Emit(request), kPermissionDenied, 403);
  EXPECT_TRUE(OpenDoor(GetParam(), relay(), kSecondKey)->Emit(request).ok());
  EXPECT_TRUE(Try(request).ok());
}

TEST_P(RefusalTest, APayloadHas64KiBAtMost) {
  // {"asset_ids":[…]} with 252 ids of 256 bytes and one of `last`.
  const auto request = [](size_t last) {
    std::vector<std::string> ids(252, absl::StrCat("\"", std::string(256, 'a'), "\""));
    ids.push_back(absl::StrCat("\"", std::string(last, 'b'), "\""));
    return absl::StrCat(R"({"asset_invalidate":{"asset_ids":[)", absl::StrJoin(ids, ","), "]}}");
  };
  const size_t exact =
      65'536 - (request(0).size() - std::string(R"({"asset_invalidate":})").size());
  EXPECT_TRUE(Try(request(exact)).ok());
  EXPECT_EQ(Try(request(exact + 1)).code, kInvalidArgument);
}

TEST_P(RefusalTest, ABatchHasAThousandEventsAtMost) {
  std::vector<std::string> events(1'000, Marker(1, 1));
  const std::vector<Answer> all = door_->EmitBatch(events);
  ASSERT_EQ(all.size(), 1'000U);
  for (const Answer& answer : all) EXPECT_TRUE(answer.ok());
  events.push_back(Marker(1, 1));
  const std::vector<Answer> refused = door_->EmitBatch(events);
  ASSERT_EQ(refused.size(), 1U);
  ExpectCode(refused[0], kInvalidArgument, 400);
}

TEST_P(RefusalTest, ARequestHas4MiBAtMost) {
  std::string description(2'000, 'a');
  const std::string event =
      absl::StrCat(R"({"target":{"user_id":1},"gift_error":{"transactionId":"t","code":"c",)",
                   R"("reason":")", description, R"("}})");
  // 900 events of 2 kB are within 4 MiB, 1,000 of 5 kB are not.
  EXPECT_EQ(door_->EmitBatch(std::vector<std::string>(900, event)).size(), 900U);
  std::vector<std::string> ids(20, absl::StrCat("\"", std::string(250, 'a'), "\""));
  const std::string large =
      absl::StrCat(R"({"asset_invalidate":{"asset_ids":[)", absl::StrJoin(ids, ","), "]}}");
  const std::vector<Answer> refused = door_->EmitBatch(std::vector<std::string>(1'000, large));
  ASSERT_EQ(refused.size(), 1U);
  ExpectCode(refused[0], kResourceExhausted, 413);
  EXPECT_FALSE(refused[0].retry_ms.has_value()) << "repeating it can't help";
  EXPECT_TRUE(Try(Marker(1, 1)).ok()) << "the next call is fine";
}

TEST_P(RefusalTest, AnAnswerFitsIntoTheTrailersOfACall) {
  // gRPC clients take 8 KiB of them: the first violations, and how many there are.
  std::vector<std::string> ids(500, "\"\"");
  const Answer answer =
      Try(absl::StrCat(R"({"asset_invalidate":{"asset_ids":[)", absl::StrJoin(ids, ","), "]}}"));
  EXPECT_EQ(answer.code, kInvalidArgument);
  EXPECT_GE(answer.violations.size(), 40U);
  EXPECT_TRUE(answer.violations.contains("asset_ids[0]"));
  EXPECT_LE(answer.message.size(), 1'100U);
}

// A shard whose inbox is full: nothing is appended, and the caller is told when to try again.
class FullInboxTest : public RelayTest {};

TEST_F(FullInboxTest, RefusesWhatItCanNotHandOnAndKeepsTheRest) {
  Start({.settings = {{"shard.inbox", "4"}}});
  Client client = Connect(101);
  int64_t number = 0;
  int64_t refused = 0;
  std::vector<int64_t> accepted;
  for (int round = 0; round < 200 && refused == 0; ++round) {
    std::vector<std::string> batch;
    for (int i = 0; i < 500; ++i) batch.push_back(Marker(101, ++number));
    const std::vector<Answer> answers = door().EmitBatch(batch);
    ASSERT_EQ(answers.size(), batch.size());
    for (size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].ok()) {
        accepted.push_back(number - 499 + static_cast<int64_t>(i));
        continue;
      }
      ++refused;
      EXPECT_EQ(answers[i].code, kResourceExhausted) << testing::PrintToString(answers[i]);
      EXPECT_GT(answers[i].retry_ms.value_or(0), 0) << testing::PrintToString(answers[i]);
    }
  }
  EXPECT_GT(refused, 0) << "its inbox was never full";
  ASSERT_TRUE(Await([this] { return relay().Metric("msab_shard_inbox_items") == 0; }));
  const Received received = Fence({&client});
  std::vector<int64_t> got;
  for (const Json& frame : received[0]) got.push_back(MarkerNumber(frame));
  EXPECT_EQ(got, accepted);
}

}  // namespace
}  // namespace msab::e2e
