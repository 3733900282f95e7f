// What an entry knows besides its payload: its times, its id, its state's fields.
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "tests/unit/contract/emit.h"

namespace msab {
namespace {

using testing::ElementsAre;

TEST(PreparedEntry, MintsAnIdAndTakesTheTimeOfAcceptance) {
  const Catalog::Prepared prepared = Prepare(R"({"config_invalidate":{"type":"all"}})");
  ASSERT_NE(prepared.entry, nullptr);
  EXPECT_EQ(prepared.entry->event_id.size(), 36);
  EXPECT_EQ(prepared.entry->occurred_at, kNow);
  EXPECT_FALSE(prepared.entry->occurred_at_given);
  EXPECT_EQ(prepared.entry->expires_at, 0);
  EXPECT_EQ(prepared.entry->except_connection, "");
}

TEST(PreparedEntry, KeepsWhatTheEmitterGave) {
  const Catalog::Prepared prepared = Prepare(
      R"({"event_id":"e1","occurred_at":"2025-12-31T23:59:59.123999Z","ttl":"1.0005s",
          "except_connection_id":"c1","config_invalidate":{"type":"all"}})");
  ASSERT_NE(prepared.entry, nullptr);
  EXPECT_EQ(prepared.entry->event_id, "e1");
  EXPECT_EQ(prepared.entry->occurred_at, kNow - 877);
  EXPECT_TRUE(prepared.entry->occurred_at_given);
  EXPECT_EQ(prepared.entry->expires_at, kNow - 877 + 1001);
  EXPECT_EQ(prepared.entry->except_connection, "c1");
}

TEST(PreparedEntry, CountsTheTtlFromNowWithoutOccurredAt) {
  const Catalog::Prepared prepared = Prepare(R"({"ttl":"60s","config_invalidate":{"type":"all"}})");
  ASSERT_NE(prepared.entry, nullptr);
  EXPECT_EQ(prepared.entry->expires_at, kNow + 60'000);
}

TEST(PreparedEntry, TakesAnEmitThatIsPastItsTtl) {
  const Catalog::Prepared prepared = Prepare(
      R"({"occurred_at":"2025-01-01T00:00:00Z","ttl":"1s","config_invalidate":{"type":"all"}})");
  ASSERT_NE(prepared.entry, nullptr);
  EXPECT_TRUE(prepared.entry->ExpiredAt(kNow));
}

TEST(PreparedEntry, RefusesTimesOutOfRange) {
  v1::EmitEventRequest request = Request(R"({"config_invalidate":{"type":"all"}})");
  const auto fields = [&request] {
    return Fields(PlainCatalog().Prepare(request, kNow).violations);
  };
  request.mutable_occurred_at()->set_seconds(-1);
  EXPECT_THAT(fields(), ElementsAre("occurred_at"));
  request.mutable_occurred_at()->set_seconds(253'402'300'800);
  EXPECT_THAT(fields(), ElementsAre("occurred_at"));
  request.mutable_occurred_at()->set_seconds(253'402'300'799);
  EXPECT_THAT(fields(), ElementsAre());
  request.mutable_occurred_at()->set_nanos(1'000'000'000);
  EXPECT_THAT(fields(), ElementsAre("occurred_at"));
  request.clear_occurred_at();
  request.mutable_ttl()->set_seconds(-1);
  EXPECT_THAT(fields(), ElementsAre("ttl"));
  request.mutable_ttl()->set_seconds(315'576'000'001);
  EXPECT_THAT(fields(), ElementsAre("ttl"));
  request.mutable_ttl()->set_seconds(315'576'000'000);
  EXPECT_THAT(fields(), ElementsAre());
  request.mutable_ttl()->set_seconds(0);
  EXPECT_THAT(fields(), ElementsAre("ttl"));
  request.mutable_ttl()->set_nanos(1);
  EXPECT_THAT(fields(), ElementsAre());
}

std::shared_ptr<Entry> Balance(const std::string& fields) {
  return Prepare(R"({"balance_updated":{"user_id":42)" + fields + "}}").entry;
}

TEST(LatestFields, DecideWhatReplacesWhat) {
  const auto none = Balance("");
  const auto coins = Balance(R"(,"coins":"1")");
  const auto both = Balance(R"(,"coins":"2","charm_xp":"0")");
  const auto xp = Balance(R"(,"charm_xp":"3")");
  EXPECT_TRUE(both->Carries(*coins));
  EXPECT_TRUE(both->Carries(*xp));
  EXPECT_TRUE(both->Carries(*both));
  EXPECT_TRUE(coins->Carries(*none));
  EXPECT_FALSE(none->Carries(*coins));
  EXPECT_FALSE(coins->Carries(*both));
  EXPECT_FALSE(coins->Carries(*xp));
}

TEST(LatestFields, AreOfLatestEventsOnly) {
  EXPECT_TRUE(
      Prepare(R"({"config_invalidate":{"type":"all","version":"1"}})").entry->fields.empty());
}

TEST(MadeEntry, IsWhatAnEmitWouldBe) {
  v1::GiftError error;
  error.set_transaction_id("t1");
  error.set_code("UPSTREAM_UNAVAILABLE");
  error.set_reason("");
  const auto entry = PlainCatalog().Make(error, Target::User(42), kNow);
  EXPECT_EQ(entry->payload, R"({"transactionId":"t1","code":"UPSTREAM_UNAVAILABLE","reason":""})");
  EXPECT_EQ(entry->name, "gift:error");
  EXPECT_EQ(entry->type, PlainCatalog().Find("gift:error"));
  EXPECT_EQ(entry->target, Target::User(42));
  EXPECT_EQ(entry->occurred_at, kNow);
  EXPECT_FALSE(entry->occurred_at_given);
  EXPECT_EQ(entry->event_id.size(), 36);
}

TEST(MadeEntry, TakesReadyJson) {
  const auto entry = PlainCatalog().MakeEncoded("room:userLeft", R"({"roomId":"7","userId":1})",
                                                Target::Room("7"), kNow);
  EXPECT_EQ(entry->payload, R"({"roomId":"7","userId":1})");
  EXPECT_EQ(entry->type, PlainCatalog().Find("room:userLeft"));
  EXPECT_EQ(entry->target, Target::Room("7"));
}

TEST(MadeEntryDeathTest, DiesOfABrokenContract) {
  v1::GiftError error;
  error.set_transaction_id("t1");
  EXPECT_DEATH(PlainCatalog().Make(error, Target::User(42), kNow), "gift:error.*code is required");
  EXPECT_DEATH(PlainCatalog().MakeEncoded("no:such", "{}", Target::User(42), kNow), "no:such");
}

}  // namespace
}  // namespace msab
