#ifndef MSAB_TESTS_CONTRACT_EVENT_LOG_SUITE_H_
#define MSAB_TESTS_CONTRACT_EVENT_LOG_SUITE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/event_log_fixture.h"

namespace msab::test {

// What every EventLog promises of order, audiences, bounds and pages.
template <typename Harness>
class EventLogSuite : public EventLogFixture<Harness> {};

TYPED_TEST_SUITE_P(EventLogSuite);

TYPED_TEST_P(EventLogSuite, NumbersFromOneWithoutHoles) {
  this->Open();
  EXPECT_EQ(this->log().Head(), 0u);
  for (uint64_t i = 1; i <= 50; ++i) {
    auto entry = Durable(i % 2 == 0 ? Target::User(7) : Target::Everyone());
    EXPECT_EQ(this->Keep(entry), i);
    EXPECT_EQ(entry->sequence, i);
    EXPECT_EQ(this->log().Head(), i);
  }
}

TYPED_TEST_P(EventLogSuite, EpochIsOfTheWiresAlphabetAndStays) {
  this->Open();
  const std::string epoch = this->log().epoch();
  EXPECT_THAT(epoch, ::testing::MatchesRegex("[0-9a-z]+"));
  EXPECT_LE(epoch.size(), 16u);
  this->Keep(Durable(Target::Everyone()));
  EXPECT_EQ(this->log().epoch(), epoch);
  EXPECT_TRUE(this->log().Health().ok());
}

TYPED_TEST_P(EventLogSuite, EmptyLogHasNoGap) {
  this->Open();
  const LogPage page = this->Read({this->Everyone(), this->User(1), this->Room("a")}, 0);
  EXPECT_FALSE(page.gap);
  EXPECT_THAT(page.entries, IsEmpty());
  EXPECT_EQ(page.through, 0u);
  EXPECT_EQ(this->log().usage().entries, 0u);
  this->log().Trim();
}

TYPED_TEST_P(EventLogSuite, EachAudienceReadsItsOwnInOrder) {
  this->Open();
  this->Keep(Durable(Target::User(1)));             // 1
  this->Keep(Durable(Target::Room("a")));           // 2
  this->Keep(Durable(Target::Everyone()));          // 3
  this->Keep(Durable(Target::User(2)));             // 4
  this->Keep(Durable(Target::UserInRoom(1, "a")));  // 5
  this->Keep(Durable(Target::Room("b")));           // 6
  this->Keep(Durable(Target::Users({1, 2, 3})));    // 7
  this->Keep(Durable(Target::UserInRoom(1, "b")));  // 8
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(1, 7));
  EXPECT_THAT(this->Got({this->User(2)}), ElementsAre(4, 7));
  EXPECT_THAT(this->Got({this->User(3)}), ElementsAre(7));
  EXPECT_THAT(this->Got({this->User(4)}), IsEmpty());
  EXPECT_THAT(this->Got({this->Room("a")}), ElementsAre(2));
  EXPECT_THAT(this->Got({this->Everyone()}), ElementsAre(3));
  EXPECT_THAT(this->Got({{AudienceKey::UserInRoom(1, "a"), 0}}), ElementsAre(5));
  EXPECT_THAT(this->Got({{AudienceKey::UserInRoom(2, "a"), 0}}), IsEmpty());
  EXPECT_THAT(this->Got({this->Everyone(),
                         this->User(1),
                         this->Room("a"),
                         {AudienceKey::UserInRoom(1, "a"), 0},
                         this->Room("b"),
                         {AudienceKey::UserInRoom(1, "b"), 0}}),
              ElementsAre(1, 2, 3, 5, 6, 7, 8));
}

TYPED_TEST_P(EventLogSuite, ReadsEachAudienceAfterItsOwnNumberUptoTheGiven) {
  this->Open();
  for (int i = 0; i < 6; ++i) {
    this->Keep(Durable(Target::User(1)));    // 1 3 5 7 9 11
    this->Keep(Durable(Target::Room("a")));  // 2 4 6 8 10 12
  }
  EXPECT_THAT(this->Got({this->User(1, 5), this->Room("a", 10)}), ElementsAre(7, 9, 11, 12));
  EXPECT_THAT(this->Got({this->User(1, 4), this->Room("a", 6)}, 9), ElementsAre(5, 7, 8, 9));
  EXPECT_THAT(this->Got({this->User(1, 11)}), IsEmpty());
  EXPECT_THAT(this->Got({this->User(1, 11)}, 3), IsEmpty());
}

TYPED_TEST_P(EventLogSuite, AnEntryOfSeveralAudiencesIsReadOnce) {
  this->Open();
  this->Keep(Durable(Target::Users({1, 2})));
  this->Keep(Durable(Target::User(2)));
  this->Keep(Durable(Target::Users({2, 1, 3})));
  const std::vector<AudienceFrom> both = {this->User(1), this->User(2), this->User(1)};
  EXPECT_THAT(this->Got(both), ElementsAre(1, 2, 3));
}

TYPED_TEST_P(EventLogSuite, TenThousandRecipientsInOneEntry) {
  this->Open();
  std::vector<UserId> users;
  for (UserId user = 1; user <= kMaxTargetUsers; ++user) users.push_back(user);
  this->Keep(Durable(Target::Users(users)));
  this->Keep(Durable(Target::User(5'000)));
  EXPECT_EQ(this->log().usage().entries, 2u);
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(1));
  EXPECT_THAT(this->Got({this->User(kMaxTargetUsers)}), ElementsAre(1));
  EXPECT_THAT(this->Got({this->User(5'000)}), ElementsAre(1, 2));
}

TYPED_TEST_P(EventLogSuite, AnExceptedUserDoesNotReadIt) {
  this->Open();
  auto joined = Durable(Target::Room("a"));
  joined->except_user = 1;
  this->Keep(joined);
  this->Keep(Durable(Target::Room("a")));
  const std::vector<AudienceFrom> own = {this->User(1), this->Room("a")};
  EXPECT_THAT(this->Got(own), ElementsAre(2));
  EXPECT_THAT(this->Got({this->User(2), this->Room("a")}), ElementsAre(1, 2));
}

TYPED_TEST_P(EventLogSuite, CountsWhatIsThereToRead) {
  this->Open();
  const std::vector<AudienceFrom> own = {
      this->Everyone(), this->User(1), this->Room("a"), {AudienceKey::UserInRoom(1, "a"), 0}};
  EXPECT_EQ(this->log().Count(own, this->kEnd).entries, 0u);
  this->Keep(Durable(Target::Everyone()));          // 1
  this->Keep(Durable(Target::User(1)));             // 2
  this->Keep(Durable(Target::User(2)));             // 3
  this->Keep(Durable(Target::Room("b")));           // 4
  this->Keep(Latest(Target::User(1), 1));           // 5: replaced by 8
  this->Keep(Durable(Target::UserInRoom(1, "a")));  // 6
  auto joined = Durable(Target::Room("a"));         // 7
  joined->except_user = 1;
  this->Keep(joined);
  this->Keep(Latest(Target::User(1), 2));    // 8
  this->Keep(Latest(Target::Room("a"), 3));  // 9
  auto brief = Durable(Target::Room("a"));   // 10
  brief->expires_at = this->clock_.WallMillis() + 1'000;
  this->Keep(brief);
  this->Keep(Durable(Target::Users({3, 1})));  // 11

  const auto expect = [&](std::vector<AudienceFrom> audiences, uint64_t upto,
                          std::vector<uint64_t> states) {
    const LogCount count = this->log().Count(audiences, upto);
    EXPECT_FALSE(count.gap);
    EXPECT_EQ(count.entries, this->Got(audiences, upto).size());
    EXPECT_EQ(this->Numbers(count.states), states);
  };
  expect(own, this->kEnd, {8, 9});
  EXPECT_EQ(this->log().Count(own, this->kEnd).entries, 7u);
  expect(own, 8, {8});
  expect({this->User(1, 8), this->Room("a", 9)}, this->kEnd, {});
  this->clock_.Advance(1'000);
  expect(own, this->kEnd, {8, 9});
  EXPECT_EQ(this->log().Count(own, this->kEnd).entries, 6u);
}

TYPED_TEST_P(EventLogSuite, CountsNothingWhereThereIsAGap) {
  this->Open({.max_per_audience = 2});
  for (int i = 0; i < 3; ++i) this->Keep(Durable(Target::User(1)));
  this->Keep(Durable(Target::Everyone()));
  const std::vector<AudienceFrom> cut = {this->Everyone(), this->User(1)};
  EXPECT_TRUE(this->log().Count(cut, this->kEnd).gap);
  EXPECT_EQ(this->log().Count(cut, this->kEnd).entries, 0u);
  const std::vector<AudienceFrom> whole = {this->Everyone(), this->User(1, 1)};
  EXPECT_FALSE(this->log().Count(whole, this->kEnd).gap);
  EXPECT_EQ(this->log().Count(whole, this->kEnd).entries, 3u);
}

// --- gaps and bounds ---

TYPED_TEST_P(EventLogSuite, BoundPerAudienceCutsThatAudienceOnly) {
  LogLimits limits;
  limits.max_per_audience = 5;
  this->Open(limits);
  this->Keep(Durable(Target::User(1)));
  for (int i = 0; i < 20; ++i) this->Keep(Durable(Target::Room("busy")));  // 2 … 21
  EXPECT_THAT(this->Got({this->User(1), this->Everyone()}), ElementsAre(1));
  EXPECT_TRUE(this->Gap({this->Room("busy")}));
  EXPECT_TRUE(this->Gap({this->Room("busy", 15)}));
  EXPECT_FALSE(this->Gap({this->Room("busy", 16)}));
  EXPECT_THAT(this->Got({this->Room("busy", 16)}), ElementsAre(17, 18, 19, 20, 21));
  EXPECT_TRUE(this->Gap({this->User(1), this->Everyone(), this->Room("busy", 3)}));
  EXPECT_FALSE(this->Gap({this->User(1), this->Everyone(), this->Room("busy", 21)}));
}

TYPED_TEST_P(EventLogSuite, BoundPerAudienceOfASharedEntryCutsOneRecipientOnly) {
  LogLimits limits;
  limits.max_per_audience = 2;
  this->Open(limits);
  this->Keep(Durable(Target::Users({1, 2})));
  this->Keep(Durable(Target::User(1)));
  this->Keep(Durable(Target::User(1)));
  EXPECT_TRUE(this->Gap({this->User(1)}));
  EXPECT_THAT(this->Got({this->User(1, 1)}), ElementsAre(2, 3));
  EXPECT_THAT(this->Got({this->User(2)}), ElementsAre(1));
}

TYPED_TEST_P(EventLogSuite, BoundByNumberIsAGapOnlyForThoseWhoLostSomething) {
  LogLimits limits;
  limits.max_events = 10;
  this->Open(limits);
  this->Keep(Durable(Target::User(1)));                                    // 1
  this->Keep(Durable(Target::Users({1, 2})));                              // 2
  for (int i = 0; i < 30; ++i) this->Keep(Durable(Target::Room("busy")));  // 3 … 32
  EXPECT_LE(this->log().usage().entries, 10u);
  EXPECT_EQ(this->log().usage().evicted, 22u);
  EXPECT_TRUE(this->Gap({this->User(1)}));
  EXPECT_TRUE(this->Gap({this->User(1, 1)}));
  EXPECT_FALSE(this->Gap({this->User(1, 2)}));
  EXPECT_TRUE(this->Gap({this->User(2, 1)}));
  EXPECT_FALSE(this->Gap({this->User(2, 2)}));
  // Quiet ones beside the busy room: they lost nothing, however old their cursor.
  EXPECT_FALSE(this->Gap({this->User(3), this->Everyone(), this->Room("quiet")}));
  EXPECT_FALSE(this->Gap({{AudienceKey::UserInRoom(3, "busy"), 0}}));
  EXPECT_TRUE(this->Gap({this->User(3), this->Room("busy", 21)}));
  EXPECT_THAT(this->Got({this->User(3), this->Room("busy", 22)}),
              ElementsAre(23, 24, 25, 26, 27, 28, 29, 30, 31, 32));
}

TYPED_TEST_P(EventLogSuite, ACutOutlivesTheAudiencesEmptiness) {
  LogLimits limits;
  limits.max_events = 5;
  this->Open(limits);
  this->Keep(Durable(Target::User(1)));
  this->Keep(Durable(Target::UserInRoom(1, "a")));
  for (int i = 0; i < 10; ++i) this->Keep(Durable(Target::Everyone()));  // both are empty now
  this->Keep(Durable(Target::User(1)));                                  // 13
  EXPECT_TRUE(this->Gap({this->User(1)}));
  EXPECT_THAT(this->Got({this->User(1, 1)}), ElementsAre(13));
  EXPECT_TRUE(this->Gap({{AudienceKey::UserInRoom(1, "a"), 1}}));
  EXPECT_FALSE(this->Gap({{AudienceKey::UserInRoom(1, "a"), 2}}));
}

TYPED_TEST_P(EventLogSuite, BoundByAgeCountsFromAcceptance) {
  LogLimits limits;
  limits.max_age_ms = 10'000;
  this->Open(limits);
  auto old = Durable(Target::User(1));
  old->occurred_at = this->clock_.WallMillis() - 86'400'000;
  this->Keep(old);
  this->clock_.Advance(6'000);
  this->Keep(Durable(Target::User(1)));
  this->log().Trim();
  EXPECT_THAT(this->Got({this->User(1)}), ElementsAre(1, 2));
  this->clock_.Advance(5'000);
  this->log().Trim();
  EXPECT_TRUE(this->Gap({this->User(1)}));
  EXPECT_THAT(this->Got({this->User(1, 1)}), ElementsAre(2));
  EXPECT_FALSE(this->Gap({this->User(2)}));
  this->clock_.Advance(60'000);
  this->log().Trim();
  EXPECT_EQ(this->log().usage().entries, 0u);
  EXPECT_EQ(this->log().Head(), 2u);
  EXPECT_TRUE(this->Gap({this->User(1, 1)}));
  EXPECT_FALSE(this->Gap({this->User(1, 2)}));
  EXPECT_EQ(this->Keep(Durable(Target::User(1))), 3u);
}

TYPED_TEST_P(EventLogSuite, BoundByBytes) {
  LogLimits limits;
  limits.max_bytes = 256 * 1024;
  this->Open(limits);
  this->Keep(Durable(Target::User(1)));
  for (int i = 0; i < 1'000; ++i) {
    this->Keep(Durable(Target::Room("a"), std::string(1'024, 'x')));
    EXPECT_LE(this->log().usage().bytes, limits.max_bytes);
  }
  const size_t kept = this->log().usage().entries;
  EXPECT_GT(kept, 100u);
  EXPECT_LT(kept, 256u);
  EXPECT_TRUE(this->Gap({this->User(1)}));
  EXPECT_TRUE(this->Gap({this->Room("a", 1'001 - kept - 1)}));
  EXPECT_EQ(this->Got({this->Room("a", 1'001 - kept)}).size(), kept);
}

TYPED_TEST_P(EventLogSuite, BytesOfTheIndexCount) {
  LogLimits limits;
  limits.max_bytes = size_t{4} << 20;
  this->Open(limits);
  std::vector<UserId> users(kMaxTargetUsers);
  for (int round = 0; round < 20; ++round) {
    for (size_t i = 0; i < users.size(); ++i) {
      users[i] = static_cast<UserId>(round * users.size() + i + 1);
    }
    this->Keep(Durable(Target::Users(users)));
    EXPECT_LE(this->log().usage().bytes, limits.max_bytes);
  }
  EXPECT_LT(this->log().usage().entries, 20u);
  EXPECT_GT(this->log().usage().entries, 0u);
}

// --- pages ---

TYPED_TEST_P(EventLogSuite, PagesOfAnySizeGiveTheWhole) {
  this->Open();
  for (int i = 0; i < 40; ++i) {
    auto entry = i % 3 == 0   ? Durable(Target::User(1))
                 : i % 3 == 1 ? Latest(Target::Room("a"), i, {static_cast<uint64_t>(i % 4)})
                              : Durable(Target::Users({1, 2}));
    if (i % 7 == 0) entry->expires_at = this->clock_.WallMillis() + 1'000;
    if (i % 5 == 0) entry->except_user = 2;
    this->Keep(entry);
  }
  this->clock_.Advance(1'000);
  const std::vector<AudienceFrom> audiences = {this->User(1), this->User(2), this->Room("a")};
  const uint64_t head = this->log().Head();
  const std::vector<uint64_t> whole = this->Got(audiences, head);
  for (size_t limit = 1; limit <= whole.size() + 1; ++limit) {
    std::vector<uint64_t> paged;
    std::vector<AudienceFrom> from = audiences;
    for (uint64_t through = 0; through < head;) {
      const LogPage page = this->log().Read(from, head, limit);
      ASSERT_FALSE(page.gap);
      ASSERT_LE(page.entries.size(), limit);
      ASSERT_GT(page.through, through);
      for (const EntryPtr& entry : page.entries) paged.push_back(entry->sequence);
      through = page.through;
      for (AudienceFrom& audience : from) audience.after = through;
    }
    EXPECT_EQ(paged, whole) << "pages of " << limit;
  }
}

TYPED_TEST_P(EventLogSuite, APageThatIsJustFullAndTheLastSaysSo) {
  this->Open();
  for (int i = 0; i < 4; ++i) this->Keep(Durable(Target::User(1)));
  this->Keep(Durable(Target::User(2)));
  const LogPage page = this->Read({this->User(1)}, 5, 4);
  EXPECT_EQ(page.entries.size(), 4u);
  EXPECT_EQ(page.through, 5u);
  EXPECT_EQ(this->Read({this->User(1)}, 5, 3).through, 3u);
}

TYPED_TEST_P(EventLogSuite, ReplacementBetweenPagesLosesNothing) {
  this->Open();
  this->Keep(Durable(Target::User(1)));      // 1
  this->Keep(Latest(Target::User(1), 100));  // 2
  this->Keep(Durable(Target::User(1)));      // 3
  const LogPage first = this->Read({this->User(1)}, 3, 1);
  EXPECT_THAT(this->Numbers(first.entries), ElementsAre(1));
  this->Keep(Latest(Target::User(1), 200));  // 4 replaces 2
  EXPECT_THAT(this->Got({this->User(1, first.through)}, 3), ElementsAre(3));
  EXPECT_THAT(this->Got({this->User(1, 3)}), ElementsAre(4));
}

TYPED_TEST_P(EventLogSuite, HistoryCutBetweenPagesIsSaid) {
  LogLimits limits;
  limits.max_per_audience = 3;
  this->Open(limits);
  for (int i = 0; i < 3; ++i) this->Keep(Durable(Target::User(1)));
  const LogPage first = this->Read({this->User(1)}, 3, 1);
  EXPECT_EQ(first.through, 1u);
  this->Keep(Durable(Target::User(1)));  // cuts 1, which was read
  EXPECT_FALSE(this->Gap({this->User(1, 1)}));
  this->Keep(Durable(Target::User(1)));  // cuts 2, which was not
  EXPECT_TRUE(this->Gap({this->User(1, 1)}));
}

// --- threads ---

TYPED_TEST_P(EventLogSuite, ReadersBesideAnAppenderSeeWholeAscendingHistory) {
  LogLimits limits;
  limits.max_per_audience = 500;
  this->Open(limits);
  constexpr uint64_t kEvents = 6'000;
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&, r] {
      EventLog& log = this->log();
      const UserId user = r + 1;
      std::vector<AudienceFrom> from = {
          {AudienceKey::User(user), 0}, {AudienceKey::Room("a"), 0}, {AudienceKey::Everyone(), 0}};
      uint64_t last = 0;
      bool final_round = false;
      while (true) {
        const LogPage page = log.Read(from, log.Head(), 64);
        uint64_t through = page.through;
        if (page.gap) {  // said, not silent: go on from the head
          through = log.Head();
        }
        for (const EntryPtr& entry : page.entries) {
          ASSERT_GT(entry->sequence, last);
          ASSERT_EQ(entry->payload, std::to_string(entry->sequence));
          last = entry->sequence;
        }
        for (AudienceFrom& audience : from) audience.after = through;
        log.usage();
        last = std::max(last, through);
        if (final_round && through == log.Head()) break;
        final_round = done.load();
      }
      EXPECT_EQ(last, kEvents);
    });
  }
  for (uint64_t i = 1; i <= kEvents; ++i) {
    const std::string payload = std::to_string(i);
    if (i % 64 == 0) this->log().Trim();
    switch (i % 4) {
      case 0:
        this->Keep(Durable(Target::User(1 + i % 3), payload));
        break;
      case 1:
        this->Keep(Durable(Target::Room("a"), payload));
        break;
      case 2:
        this->Keep(Durable(Target::Users({1, 2, 3}), payload));
        break;
      default: {
        auto latest = Latest(Target::Everyone(), static_cast<int64_t>(i));
        latest->payload = payload;
        this->Keep(latest);
      }
    }
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

REGISTER_TYPED_TEST_SUITE_P(
    EventLogSuite, NumbersFromOneWithoutHoles, EpochIsOfTheWiresAlphabetAndStays, EmptyLogHasNoGap,
    EachAudienceReadsItsOwnInOrder, ReadsEachAudienceAfterItsOwnNumberUptoTheGiven,
    AnEntryOfSeveralAudiencesIsReadOnce, TenThousandRecipientsInOneEntry,
    AnExceptedUserDoesNotReadIt, CountsWhatIsThereToRead, CountsNothingWhereThereIsAGap,
    BoundPerAudienceCutsThatAudienceOnly, BoundPerAudienceOfASharedEntryCutsOneRecipientOnly,
    BoundByNumberIsAGapOnlyForThoseWhoLostSomething, ACutOutlivesTheAudiencesEmptiness,
    BoundByAgeCountsFromAcceptance, BoundByBytes, BytesOfTheIndexCount, PagesOfAnySizeGiveTheWhole,
    APageThatIsJustFullAndTheLastSaysSo, ReplacementBetweenPagesLosesNothing,
    HistoryCutBetweenPagesIsSaid, ReadersBesideAnAppenderSeeWholeAscendingHistory);

}  // namespace msab::test

#endif  // MSAB_TESTS_CONTRACT_EVENT_LOG_SUITE_H_
