#ifndef MSAB_TESTS_CONTRACT_EVENT_LOG_STATE_SUITE_H_
#define MSAB_TESTS_CONTRACT_EVENT_LOG_STATE_SUITE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/contract/event_log_fixture.h"

namespace msab::test {

// What every EventLog promises of state (LATEST) and of what lives for a while only (ttl).
template <typename Harness>
class EventLogStateSuite : public EventLogFixture<Harness> {};

TYPED_TEST_SUITE_P(EventLogStateSuite);

// --- LATEST ---

TYPED_TEST_P(EventLogStateSuite, ALaterLatestReplacesWithoutAGap) {
  this->Open();
  this->Keep(Latest(Target::User(1), 100));
  this->Keep(Durable(Target::User(1)));
  this->Keep(Latest(Target::User(1), 200));
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(2, 3));
  EXPECT_EQ(this->log().usage().entries, 2u);
  for (int i = 0; i < 1'000; ++i) this->Keep(Latest(Target::User(1), 300 + i));
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(2, 1'003));
  EXPECT_EQ(this->log().usage().entries, 2u);
  EXPECT_EQ(this->log().usage().evicted, 0u);
}

TYPED_TEST_P(EventLogStateSuite, OfATieTheLaterAcceptedStays) {
  this->Open();
  this->Keep(Latest(Target::User(1), 100));
  this->Keep(Latest(Target::User(1), 100));
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(2));
}

TYPED_TEST_P(EventLogStateSuite, AnOutdatedLatestIsSupersededAndHasNoNumber) {
  this->Open();
  this->Keep(Latest(Target::User(1), 200));
  this->Keep(Durable(Target::Everyone()));
  auto stale = Latest(Target::User(1), 100);
  const absl::StatusOr<Appended> appended = this->Append(stale);
  ASSERT_TRUE(appended.ok());
  EXPECT_TRUE(appended->superseded);
  EXPECT_EQ(appended->sequence, 2u);
  EXPECT_EQ(this->log().Head(), 2u);
  EXPECT_EQ(stale->sequence, 0u);
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(1));
  EXPECT_EQ(this->Keep(Durable(Target::User(1))), 3u);
}

TYPED_TEST_P(EventLogStateSuite, LatestOfFewerFieldsDoesNotReplaceOneOfMore) {
  this->Open();
  this->Keep(Latest(Target::User(1), 100, {1, 2}));
  this->Keep(Latest(Target::User(1), 200, {1}));  // field 2 is still only in the first
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(1, 2));
  this->Keep(Latest(Target::User(1), 300, {2}));
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(1, 2, 3));
  this->Keep(Latest(Target::User(1), 400, {1, 2, 3}));
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(4));
  EXPECT_TRUE(this->Append(Latest(Target::User(1), 300, {2, 3}))->superseded);
  EXPECT_FALSE(this->Append(Latest(Target::User(1), 300, {2, 4}))->superseded);
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(4, 5));
}

TYPED_TEST_P(EventLogStateSuite, LatestReplacesItsOwnNameAndAudienceOnly) {
  this->Open();
  this->Keep(Latest(Target::User(1), 100));
  this->Keep(Latest(Target::User(2), 200));
  this->Keep(Latest(Target::User(1), 200, {1}, "other.latest"));
  this->Keep(Latest(Target::UserInRoom(1, "a"), 300));
  this->Keep(Latest(Target::Room("a"), 400));
  this->Keep(Latest(Target::Everyone(), 500));
  EXPECT_THAT(this->Got({this->Everyone(),
                         this->User(1),
                         this->User(2),
                         this->Room("a"),
                         {AudienceKey::UserInRoom(1, "a"), 0}}),
              ElementsAre(1, 2, 3, 4, 5, 6));
  this->Keep(Latest(Target::Everyone(), 501));
  this->Keep(Latest(Target::Room("a"), 401));
  EXPECT_THAT(this->Got({this->Everyone(), this->Room("a")}), ElementsAre(7, 8));
}

TYPED_TEST_P(EventLogStateSuite, LatestToSeveralReplacesForEachByItself) {
  this->Open();
  this->Keep(Latest(Target::Users({1, 2}), 100));
  this->Keep(Latest(Target::User(1), 300));
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(2));
  EXPECT_THAT(this->Got({this->User(2)}), ElementsAre(1));
  auto partly = Latest(Target::Users({3, 1, 2}), 200);
  const absl::StatusOr<Appended> appended = this->Append(partly);
  ASSERT_TRUE(appended.ok());
  EXPECT_FALSE(appended->superseded);
  EXPECT_EQ(appended->sequence, 3u);
  EXPECT_THAT(partly->superseded_for, ElementsAre(AudienceKey::User(1)));
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(2));
  EXPECT_THAT(this->Got({this->User(2)}), ElementsAre(3));
  EXPECT_THAT(this->Got({this->User(3)}), ElementsAre(3));
  EXPECT_EQ(this->log().usage().entries, 2u);
  EXPECT_TRUE(this->Append(Latest(Target::Users({1, 2, 3}), 150))->superseded);
}

TYPED_TEST_P(EventLogStateSuite, WhoDidNotGetALatestLosesNothingByItsEviction) {
  LogLimits limits;
  limits.max_events = 3;
  this->Open(limits);
  this->Keep(Latest(Target::User(1), 300));
  this->Keep(Latest(Target::Users({1, 2}), 200));  // superseded for 1
  this->Keep(Latest(Target::User(1), 400));        // 3 replaces 1
  this->Keep(Durable(Target::Everyone()));
  this->Keep(Durable(Target::Everyone()));  // evicts 2
  EXPECT_TRUE(this->Gap({this->User(2)}));
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(3));
}

TYPED_TEST_P(EventLogStateSuite, AnEvictedLatestSupersedesNothingAnyMore) {
  LogLimits limits;
  limits.max_per_audience = 1;
  this->Open(limits);
  this->Keep(Latest(Target::User(1), 200));
  this->Keep(Durable(Target::User(1)));
  EXPECT_EQ(this->Keep(Latest(Target::User(1), 100)), 3u);
}

// --- ttl ---

TYPED_TEST_P(EventLogStateSuite, PastItsTtlAnEntryIsNotReadAndIsNoGap) {
  this->Open();
  auto brief = Durable(Target::User(1));
  brief->expires_at = this->clock_.WallMillis() + 1'000;
  this->Keep(brief);
  this->Keep(Durable(Target::User(1)));
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(1, 2));
  this->clock_.Advance(1'000);
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(2));
  this->log().Trim();
  EXPECT_EQ(this->log().usage().entries, 1u);
  EXPECT_EQ(this->log().usage().evicted, 0u);
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(2));
}

TYPED_TEST_P(EventLogStateSuite, EvictingWhatATtlHasEndedIsNoGap) {
  LogLimits limits;
  limits.max_events = 2;
  limits.max_per_audience = 2;
  this->Open(limits);
  auto brief = Durable(Target::Users({1, 2}));
  brief->expires_at = this->clock_.WallMillis() + 1'000;
  this->Keep(brief);
  this->clock_.Advance(1'000);
  for (int i = 0; i < 2; ++i) this->Keep(Durable(Target::User(2)));
  EXPECT_THAT(this->Got({this->User(1)}), IsEmpty());
  EXPECT_THAT(this->Got({this->User(2)}), ElementsAre(2, 3));
}

TYPED_TEST_P(EventLogStateSuite, AStateWhoseTtlIsOverSupersedesNothing) {
  this->Open();
  auto brief = Latest(Target::User(1), 200);
  brief->expires_at = this->clock_.WallMillis() + 1'000;
  this->Keep(brief);
  this->clock_.Advance(1'000);
  EXPECT_EQ(this->Keep(Latest(Target::User(1), 100)), 2u);
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(2));
}

REGISTER_TYPED_TEST_SUITE_P(EventLogStateSuite, ALaterLatestReplacesWithoutAGap,
                            OfATieTheLaterAcceptedStays, AnOutdatedLatestIsSupersededAndHasNoNumber,
                            LatestOfFewerFieldsDoesNotReplaceOneOfMore,
                            LatestReplacesItsOwnNameAndAudienceOnly,
                            LatestToSeveralReplacesForEachByItself,
                            WhoDidNotGetALatestLosesNothingByItsEviction,
                            AnEvictedLatestSupersedesNothingAnyMore,
                            PastItsTtlAnEntryIsNotReadAndIsNoGap, EvictingWhatATtlHasEndedIsNoGap,
                            AStateWhoseTtlIsOverSupersedesNothing);

}  // namespace msab::test

#endif  // MSAB_TESTS_CONTRACT_EVENT_LOG_STATE_SUITE_H_
