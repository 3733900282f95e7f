#ifndef MSAB_TESTS_CONTRACT_RESUME_STORE_SUITE_H_
#define MSAB_TESTS_CONTRACT_RESUME_STORE_SUITE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "server/base/clock.h"
#include "server/log/resume_store.h"

namespace msab::test {

// The bounds that a store under test is opened with.
struct ResumeLimits {
  size_t max_records = 1'000'000;
  size_t max_bytes = size_t{64} << 20;
  int64_t max_age_ms = 60'000;
};

// What every ResumeStore promises. `Harness` opens the store under test:
//   Harness(const ResumeLimits&, const Clock&)   an empty store
//   ResumeStore& store()
//   void Settle()                                what was called has taken effect on return
template <typename Harness>
class ResumeStoreSuite : public ::testing::Test {
 protected:
  using Term = ResumeStore::Term;
  using Claimed = std::optional<ResumeStore::Claimed>;

  void Open(const ResumeLimits& limits = {}) { harness_.emplace(limits, clock_); }
  ResumeStore& store() {
    harness_->Settle();
    return harness_->store();
  }

  static ResumeRecord Record(const std::string& id, UserId user = 1) {
    ResumeRecord record;
    record.id = id;
    record.connection_id = absl::StrCat("c-", id);
    record.user = user;
    record.start = 7;
    return record;
  }
  Term Put(const std::string& id, UserId user = 1) { return store().Put(Record(id, user)); }
  Claimed Claim(const std::string& id, UserId user = 1) {
    Claimed answer;
    absl::Notification answered;
    int answers = 0;
    store().Claim(id, user, [&](Claimed claimed) {
      ++answers;
      answer = std::move(claimed);
      answered.Notify();
    });
    harness_->Settle();
    answered.WaitForNotification();
    EXPECT_EQ(answers, 1);
    return answer;
  }
  bool Knows(const std::string& id, UserId user = 1) { return Claim(id, user).has_value(); }
  ManualClock& clock() { return clock_; }

 private:
  ManualClock clock_;
  std::optional<Harness> harness_;
};

TYPED_TEST_SUITE_P(ResumeStoreSuite);

TYPED_TEST_P(ResumeStoreSuite, GivesBackWhatItWasGiven) {
  this->Open();
  ResumeRecord record = this->Record("a", 42);
  record.confirmed = 9;
  record.rooms = {{"x", 8}, {std::string(64, 'y'), 9}};
  const auto term = this->store().Put(record);
  EXPECT_NE(term, 0u);
  const auto claimed = this->Claim("a", 42);
  ASSERT_TRUE(claimed.has_value());
  EXPECT_EQ(claimed->record, record);
  EXPECT_GT(claimed->term, term);
}

TYPED_TEST_P(ResumeStoreSuite, KnowsOnlyWhatIsThere) {
  this->Open();
  this->Put("a", 1);
  EXPECT_FALSE(this->Knows("b", 1));
  EXPECT_FALSE(this->Knows("", 1));
  EXPECT_FALSE(this->Knows("a", 2)) << "another user's";
  EXPECT_TRUE(this->Knows("a", 1)) << "unharmed by who may not have it";
}

TYPED_TEST_P(ResumeStoreSuite, PutsAnIdOnce) {
  this->Open();
  EXPECT_NE(this->Put("a", 1), 0u);
  EXPECT_EQ(this->Put("a", 2), 0u);
  EXPECT_TRUE(this->Knows("a", 1));
}

TYPED_TEST_P(ResumeStoreSuite, KeepsTheGreatestNumberConfirmed) {
  this->Open();
  const auto term = this->Put("a");
  this->store().Confirm("a", term, 9);
  this->store().Confirm("a", term, 8);
  EXPECT_EQ(this->Claim("a")->record.confirmed, 9u);
}

TYPED_TEST_P(ResumeStoreSuite, KeepsRoomsWithTheirFirstJoin) {
  this->Open();
  const auto term = this->Put("a");
  this->store().EnterRoom("a", term, "x", 8);
  this->store().EnterRoom("a", term, "y", 9);
  this->store().EnterRoom("a", term, "x", 10);  // in it already
  this->store().ExitRoom("a", term, "none");
  auto claimed = this->Claim("a");
  EXPECT_THAT(claimed->record.rooms,
              ::testing::ElementsAre(ResumeRecord::Room{"x", 8}, ResumeRecord::Room{"y", 9}));
  this->store().ExitRoom("a", claimed->term, "x");
  this->store().EnterRoom("a", claimed->term, "x", 11);
  claimed = this->Claim("a");
  EXPECT_THAT(claimed->record.rooms,
              ::testing::ElementsAre(ResumeRecord::Room{"y", 9}, ResumeRecord::Room{"x", 11}));
}

// A half-open connection may try all this long after its client came back elsewhere.
TYPED_TEST_P(ResumeStoreSuite, HearsNothingOfAFormerHolder) {
  this->Open();
  const auto old = this->Put("a");
  this->store().EnterRoom("a", old, "x", 8);
  const auto claimed = this->Claim("a");
  for (const auto term : {old, claimed->term + 1, decltype(old){0}}) {
    this->store().Confirm("a", term, 99);
    this->store().EnterRoom("a", term, "y", 9);
    this->store().ExitRoom("a", term, "x");
    this->store().Delete("a", term);
    this->store().Release("a", term);
  }
  EXPECT_EQ(this->store().usage().held, 1u);
  this->clock().Advance(3'600'000);
  this->store().Trim();
  const auto again = this->Claim("a");
  ASSERT_TRUE(again.has_value()) << "it was held, and does not age";
  EXPECT_EQ(again->record, claimed->record);
}

TYPED_TEST_P(ResumeStoreSuite, ForgetsWhatIsDeleted) {
  this->Open();
  this->store().Delete("a", this->Put("a"));
  EXPECT_FALSE(this->Knows("a"));
  EXPECT_EQ(this->store().usage().bytes, 0u);
  EXPECT_NE(this->Put("a"), 0u);
}

TYPED_TEST_P(ResumeStoreSuite, HearsNobodyOnceReleased) {
  this->Open();
  const auto term = this->Put("a");
  this->store().Release("a", term);
  this->store().Confirm("a", term, 99);
  this->store().Delete("a", term);
  const auto claimed = this->Claim("a");
  ASSERT_TRUE(claimed.has_value());
  EXPECT_EQ(claimed->record.confirmed, 0u);
}

TYPED_TEST_P(ResumeStoreSuite, KeepsTheReleasedForATime) {
  this->Open();
  this->store().Release("a", this->Put("a"));
  this->Put("held");
  this->clock().Advance(59'999);
  this->store().Trim();
  EXPECT_EQ(this->store().usage().released, 1u);
  this->clock().Advance(1);
  EXPECT_FALSE(this->Knows("a")) << "though nobody trimmed it";
  this->store().Trim();
  EXPECT_EQ(this->store().usage().released, 0u);
  EXPECT_TRUE(this->Knows("held"));
}

TYPED_TEST_P(ResumeStoreSuite, AgesFromTheLastRelease) {
  this->Open();
  this->store().Release("a", this->Put("a"));
  this->clock().Advance(50'000);
  this->store().Release("a", this->Claim("a")->term);
  this->clock().Advance(50'000);
  EXPECT_TRUE(this->Knows("a"));
}

TYPED_TEST_P(ResumeStoreSuite, DropsTheLongestReleasedBeyondItsNumber) {
  this->Open({.max_records = 3});
  this->store().Release("a", this->Put("a"));
  this->store().Release("b", this->Put("b"));
  this->Put("c");
  this->Put("d");
  EXPECT_FALSE(this->Knows("a"));
  EXPECT_TRUE(this->Knows("b"));
  EXPECT_EQ(this->store().usage().evicted, 1u);
}

TYPED_TEST_P(ResumeStoreSuite, KeepsNoNewOneWhereAllAreHeld) {
  this->Open({.max_records = 2});
  this->Put("a");
  this->Put("b");
  EXPECT_EQ(this->Put("c"), 0u);
  EXPECT_EQ(this->store().usage().refused, 1u);
  EXPECT_FALSE(this->Knows("c"));
  EXPECT_TRUE(this->Knows("a"));
  EXPECT_TRUE(this->Knows("b"));
}

TYPED_TEST_P(ResumeStoreSuite, StaysWithinItsBytes) {
  this->Open({.max_bytes = 20'000});
  int kept = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::string id = absl::StrCat("session-number-", i);
    const auto term = this->Put(id);
    if (term == 0) continue;
    ++kept;
    for (int room = 0; room < 5; ++room) {
      this->store().EnterRoom(id, term, absl::StrCat(std::string(40, 'r'), room), 8);
    }
    if (i % 2 == 0) this->store().Release(id, term);
    ASSERT_LE(this->store().usage().bytes, 20'000u);
  }
  const auto usage = this->store().usage();
  EXPECT_GT(kept, 10);
  EXPECT_GT(usage.evicted, 0u);
  EXPECT_GT(usage.held + usage.released, 5u);
}

TYPED_TEST_P(ResumeStoreSuite, HasOneHolderAtATimeAcrossThreads) {
  this->Open();
  this->Put("a");
  constexpr int kThreads = 4;
  constexpr int kClaims = 500;
  absl::Mutex mu;
  std::vector<ResumeStore::Term> terms;
  std::vector<std::thread> threads;
  ResumeStore& store = this->store();
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kClaims; ++i) {
        store.Claim("a", 1, [&](std::optional<ResumeStore::Claimed> claimed) {
          if (!claimed) return;
          store.Confirm("a", claimed->term, claimed->term);
          absl::MutexLock lock(&mu);
          terms.push_back(claimed->term);
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(this->Knows("a"));
  absl::MutexLock lock(&mu);
  std::sort(terms.begin(), terms.end());
  EXPECT_EQ(terms.size(), size_t{kThreads * kClaims});
  EXPECT_EQ(std::unique(terms.begin(), terms.end()), terms.end()) << "a term was given twice";
}

REGISTER_TYPED_TEST_SUITE_P(ResumeStoreSuite, GivesBackWhatItWasGiven, KnowsOnlyWhatIsThere,
                            PutsAnIdOnce, KeepsTheGreatestNumberConfirmed,
                            KeepsRoomsWithTheirFirstJoin, HearsNothingOfAFormerHolder,
                            ForgetsWhatIsDeleted, HearsNobodyOnceReleased, KeepsTheReleasedForATime,
                            AgesFromTheLastRelease, DropsTheLongestReleasedBeyondItsNumber,
                            KeepsNoNewOneWhereAllAreHeld, StaysWithinItsBytes,
                            HasOneHolderAtATimeAcrossThreads);

}  // namespace msab::test

#endif  // MSAB_TESTS_CONTRACT_RESUME_STORE_SUITE_H_
