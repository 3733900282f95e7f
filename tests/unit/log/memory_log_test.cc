#include "server/log/memory_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "tests/support/entries.h"

namespace msab {
namespace {

using test::Durable;
using test::Latest;

constexpr uint64_t kEnd = std::numeric_limits<int64_t>::max();

TEST(MemoryLogTest, EachLifeHasAnEpochOfItsOwn) {
  const ManualClock clock;
  EXPECT_NE(MemoryLog({}, clock).epoch(), MemoryLog({}, clock).epoch());
  EXPECT_EQ(MemoryLog({}, clock, "fixed").epoch(), "fixed");
}

// The same log, kept the simplest way: every entry for ever, and per audience what is left of it.
// It knows no floor: it says exactly who lost what.
class NaiveLog {
 public:
  struct Kept {
    EntryPtr entry;
    int64_t accepted_at;
    std::vector<AudienceKey> audiences;
  };

  NaiveLog(const MemoryLog::Options& options, const Clock& clock)
      : options_(options), clock_(clock) {}

  // The number, or nothing if superseded.
  uint64_t Append(const Entry& entry) {
    std::vector<AudienceKey> recipients;
    for (const AudienceKey& key : Keys(entry.target)) {
      const bool outdated = std::any_of(kept_.begin(), kept_.end(), [&](const Kept& kept) {
        return Holds(kept, key) && !Expired(kept) && IsLatest(entry, kept) &&
               OutdatedBy(entry, *kept.entry);
      });
      if (!outdated) recipients.push_back(key);
    }
    if (recipients.empty()) return 0;
    for (const AudienceKey& key : recipients) {
      for (Kept& kept : kept_) {
        if (Holds(kept, key) && IsLatest(entry, kept) && Replaces(entry, *kept.entry)) {
          TakeFrom(kept, key);
        }
      }
    }
    auto numbered = std::make_shared<Entry>(entry);
    numbered->sequence = ++head_;
    kept_.push_back({std::move(numbered), clock_.SteadyMillis(), recipients});
    for (const AudienceKey& key : recipients) {
      std::vector<Kept*> own;
      for (Kept& kept : kept_) {
        if (Holds(kept, key)) own.push_back(&kept);
      }
      if (own.size() > options_.max_per_audience) Cut(*own.front(), key);
    }
    Sweep();
    while (kept_.size() > options_.max_events) EvictFirst();
    return head_;
  }

  void Trim() {
    for (Kept& kept : kept_) {
      if (Expired(kept)) kept.audiences.clear();
    }
    Sweep();
    while (!kept_.empty() &&
           kept_.front().accepted_at + options_.max_age_ms <= clock_.SteadyMillis()) {
      EvictFirst();
    }
  }

  std::vector<uint64_t> Read(const std::vector<AudienceFrom>& audiences, uint64_t upto) const {
    std::vector<uint64_t> numbers;
    for (const Kept& kept : kept_) {
      const uint64_t number = kept.entry->sequence;
      const bool asked =
          std::any_of(audiences.begin(), audiences.end(), [&](const AudienceFrom& audience) {
            return number > audience.after && Holds(kept, audience.key);
          });
      const bool excepted =
          std::any_of(audiences.begin(), audiences.end(), [&](const AudienceFrom& audience) {
            return kept.entry->except_user != 0 && audience.key.user == kept.entry->except_user;
          });
      if (asked && !excepted && !Expired(kept) && number <= upto) numbers.push_back(number);
    }
    return numbers;
  }

  uint64_t CutOf(const AudienceKey& key) const {
    const auto it = cuts_.find({key.user, key.room});
    return it == cuts_.end() ? 0 : it->second;
  }
  size_t entries() const { return kept_.size(); }
  uint64_t head() const { return head_; }

  static std::vector<AudienceKey> Keys(const Target& target) {
    switch (target.kind) {
      case Target::Kind::kUsers: {
        std::vector<AudienceKey> keys;
        for (const UserId user : target.users) keys.push_back(AudienceKey::User(user));
        return keys;
      }
      case Target::Kind::kRoom:
        return {AudienceKey::Room(target.room)};
      case Target::Kind::kUserInRoom:
        return {AudienceKey::UserInRoom(target.users.front(), target.room)};
      case Target::Kind::kEveryone:
        break;
    }
    return {AudienceKey::Everyone()};
  }

 private:
  static bool IsLatest(const Entry& entry, const Kept& kept) {
    return entry.type->delivery == DeliveryClass::kLatest && entry.type == kept.entry->type;
  }
  static bool Holds(const Kept& kept, const AudienceKey& key) {
    return std::find(kept.audiences.begin(), kept.audiences.end(), key) != kept.audiences.end();
  }
  bool Expired(const Kept& kept) const { return kept.entry->ExpiredAt(clock_.WallMillis()); }
  static void TakeFrom(Kept& kept, const AudienceKey& key) {
    kept.audiences.erase(std::find(kept.audiences.begin(), kept.audiences.end(), key));
  }
  void Cut(Kept& kept, const AudienceKey& key) {
    if (!Expired(kept)) cuts_[{key.user, key.room}] = kept.entry->sequence;
    TakeFrom(kept, key);
  }
  void EvictFirst() {
    const std::vector<AudienceKey> audiences = kept_.front().audiences;
    for (const AudienceKey& key : audiences) Cut(kept_.front(), key);
    kept_.pop_front();
  }
  void Sweep() {
    kept_.erase(std::remove_if(kept_.begin(), kept_.end(),
                               [](const Kept& kept) { return kept.audiences.empty(); }),
                kept_.end());
  }

  const MemoryLog::Options options_;
  const Clock& clock_;
  uint64_t head_ = 0;
  std::deque<Kept> kept_;
  std::map<std::pair<UserId, std::string>, uint64_t> cuts_;
};

// Random events over a few users and rooms, of every class, target, ttl and age.
class RandomEvents {
 public:
  explicit RandomEvents(uint32_t seed) : random_(seed) {}

  int Pick(int n) { return static_cast<int>(random_() % n); }

  UserId PickUser() { return 1 + Pick(6); }
  std::string PickRoom() { return std::string("room-") + static_cast<char>('a' + Pick(3)); }

  Target PickTarget() {
    switch (Pick(8)) {
      case 0:
        return Target::Everyone();
      case 1:
      case 2:
        return Target::Room(PickRoom());
      case 3:
        return Target::UserInRoom(PickUser(), PickRoom());
      case 4:
      case 5: {
        std::set<UserId> users;
        for (int i = 1 + Pick(4); i > 0; --i) users.insert(PickUser());
        std::vector<UserId> list(users.begin(), users.end());
        std::shuffle(list.begin(), list.end(), random_);
        return Target::Users(list);
      }
      default:
        return Target::User(PickUser());
    }
  }

  std::shared_ptr<Entry> PickEntry(const Clock& clock) {
    std::shared_ptr<Entry> entry;
    if (Pick(2) == 0) {
      std::vector<uint64_t> fields;
      for (uint64_t field = 1; field <= 3; ++field) {
        if (Pick(2) == 0) fields.push_back(field);
      }
      entry = Latest(PickTarget(), clock.WallMillis() + Pick(30) - 20, fields,
                     Pick(3) == 0 ? "other.latest" : "test.latest");
    } else {
      entry = Durable(PickTarget());
    }
    if (Pick(6) == 0) entry->expires_at = clock.WallMillis() + 1 + Pick(60);
    if (Pick(6) == 0) entry->except_user = PickUser();
    return entry;
  }

  std::vector<AudienceFrom> PickAudiences(uint64_t head) {
    std::vector<AudienceFrom> audiences;
    const auto after = [&] { return Pick(2) == 0 ? 0 : static_cast<uint64_t>(Pick(head + 1)); };
    for (int i = 1 + Pick(5); i > 0; --i) {
      switch (Pick(4)) {
        case 0:
          audiences.push_back({AudienceKey::Everyone(), after()});
          break;
        case 1:
          audiences.push_back({AudienceKey::User(PickUser()), after()});
          break;
        case 2:
          audiences.push_back({AudienceKey::Room(PickRoom()), after()});
          break;
        default:
          audiences.push_back({AudienceKey::UserInRoom(PickUser(), PickRoom()), after()});
      }
    }
    return audiences;
  }

 private:
  std::mt19937 random_;
};

TEST(MemoryLogTest, AgreesWithANaiveOneOverRandomHistories) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomEvents events(seed);
    ManualClock clock;
    MemoryLog::Options options;
    options.max_events = 10 + events.Pick(150);
    options.max_per_audience = 1 + events.Pick(30);
    options.max_age_ms = 100 + events.Pick(1'000);
    MemoryLog log(options, clock);
    NaiveLog naive(options, clock);
    for (int step = 0; step < 600; ++step) {
      const std::shared_ptr<Entry> entry = events.PickEntry(clock);
      const uint64_t expected = naive.Append(*entry);
      const absl::StatusOr<Appended> appended = *log.Append(entry);
      ASSERT_TRUE(appended.ok());
      ASSERT_EQ(appended->superseded, expected == 0);
      ASSERT_EQ(appended->sequence, naive.head());
      ASSERT_EQ(log.usage().entries, naive.entries());
      if (events.Pick(4) == 0) clock.Advance(events.Pick(40));
      if (events.Pick(10) == 0) {
        log.Trim();
        naive.Trim();
        ASSERT_EQ(log.usage().entries, naive.entries());
      }
      const std::vector<AudienceFrom> audiences = events.PickAudiences(naive.head());
      const bool cut = std::any_of(
          audiences.begin(), audiences.end(),
          [&](const AudienceFrom& audience) { return audience.after < naive.CutOf(audience.key); });
      const uint64_t upto = events.Pick(2) == 0 ? kEnd : events.Pick(naive.head() + 1);
      const LogPage page = log.Read(audiences, upto, 10'000);
      ASSERT_EQ(page.gap, cut);
      ASSERT_EQ(log.Covers(audiences), !cut);
      const std::vector<uint64_t> whole = naive.Read(audiences, upto);
      if (cut) continue;
      std::vector<uint64_t> numbers;
      for (const EntryPtr& got : page.entries) numbers.push_back(got->sequence);
      ASSERT_EQ(numbers, whole);
      ASSERT_EQ(page.through, upto);
      for (const AudienceFrom& audience : audiences) {
        const LogCount count = log.Count({&audience, 1}, upto);
        ASSERT_EQ(count.entries, naive.Read({audience}, upto).size());
        ASSERT_TRUE(absl::c_all_of(count.states, [](const EntryPtr& state) {
          return state->type->delivery == DeliveryClass::kLatest;
        }));
      }
    }
    // Everything ends, and nothing of it stays but the cuts.
    clock.Advance(10'000);
    log.Trim();
    EXPECT_EQ(log.usage().entries, 0u);
  }
}

// Far more audiences than the bytes allow to remember: their cuts share the floor. It may tell an
// old cursor of a gap that isn't one; it must never hide one, nor touch a cursor past what the
// bounds took.
TEST(MemoryLogTest, ForgottenAudiencesNeverHideAGap) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomEvents events(seed);
    ManualClock clock;
    MemoryLog::Options options;
    options.max_bytes = 128 * 1024;
    options.max_events = 100;
    MemoryLog log(options, clock);
    NaiveLog naive(options, clock);
    size_t most_audiences = 0;
    size_t false_gaps = 0;
    for (int step = 0; step < 3'000; ++step) {
      const UserId user = 1 + events.Pick(1'000);
      auto entry = events.Pick(3) == 0
                       ? Durable(Target::UserInRoom(user, "a-room-of-more-than-a-few-characters"))
                       : Durable(Target::User(user));
      naive.Append(*entry);
      ASSERT_TRUE(log.Append(entry)->ok());
      ASSERT_LE(log.usage().bytes, options.max_bytes);
      most_audiences = std::max(most_audiences, log.usage().audiences);
      const AudienceKey key = AudienceKey::User(1 + events.Pick(1'100));
      const std::vector<AudienceFrom> reader = {
          {key, static_cast<uint64_t>(events.Pick(step + 2))}};
      const bool lost = reader[0].after < naive.CutOf(key);
      const bool said = !log.Covers(reader);
      ASSERT_TRUE(said || !lost) << "hidden at step " << step;
      if (said && !lost) {
        ++false_gaps;
        ASSERT_LE(reader[0].after + options.max_events, naive.head());
      }
    }
    EXPECT_LT(most_audiences, 400u);
    EXPECT_GT(false_gaps, 0u);  // else this exercised no floor
  }
}

// The floor rises with the cut that is longest past: an audience in use again, and cut again, is
// remembered longer than those that were empty all the time.
TEST(MemoryLogTest, TheOldestCutIsForgottenFirst) {
  const ManualClock clock;
  MemoryLog::Options options;
  options.max_bytes = 128 * 1024;
  options.max_events = 1;
  MemoryLog log(options, clock);
  UserId next = 1;
  const auto append = [&](UserId user) { return log.Append(Durable(Target::User(user)))->ok(); };
  const auto covers = [&](UserId user, uint64_t after) {
    return log.Covers(std::vector<AudienceFrom>{{AudienceKey::User(user), after}});
  };
  constexpr UserId kNever = 1'000'000;
  while (next <= 50) ASSERT_TRUE(append(next++));
  ASSERT_TRUE(append(1));  // 51
  while (covers(kNever, 0)) ASSERT_TRUE(append(next++));
  EXPECT_TRUE(covers(kNever, 10));
  EXPECT_FALSE(covers(1, 50));
  EXPECT_TRUE(covers(1, 51));
}

TEST(MemoryLogTest, ManyCutAudiencesNeedNoFloorAtTheDefaultBounds) {
  const ManualClock clock;
  MemoryLog::Options options;
  options.max_events = 1'000;
  MemoryLog log(options, clock);
  constexpr UserId kUsers = 50'000;
  for (UserId user = 1; user <= kUsers; ++user) {
    ASSERT_TRUE(log.Append(Durable(Target::User(user)))->ok());
  }
  const auto covers = [&](UserId user, uint64_t after) {
    return log.Covers(std::vector<AudienceFrom>{{AudienceKey::User(user), after}});
  };
  EXPECT_FALSE(covers(1, 0));
  EXPECT_TRUE(covers(1, 1));
  EXPECT_FALSE(covers(25'000, 24'999));
  EXPECT_TRUE(covers(25'000, 25'000));
  EXPECT_TRUE(covers(kUsers + 1, 0));  // never had anything, so lost nothing
}

// Reads of the wall clock are counted: Trim looks at it each time before it takes the lock.
class CountingClock final : public Clock {
 public:
  int64_t WallMillis() const override {
    ++looks;
    return manual.WallMillis();
  }
  int64_t SteadyMillis() const override { return manual.SteadyMillis(); }

  ManualClock manual;
  mutable int looks = 0;
};

// Nothing passes while the lock is held, so what an entry for thousands of users needs must count.
TEST(MemoryLogTest, TrimsEntriesForManyUsersAFewAtATime) {
  constexpr int kEntries = 64;
  constexpr int kUsers = 1'000;
  std::vector<UserId> users;
  for (int i = 1; i <= kUsers; ++i) users.push_back(i);
  for (const bool ttl : {false, true}) {
    CountingClock clock;
    MemoryLog log({.max_age_ms = 1'000}, clock);
    for (int i = 0; i < kEntries; ++i) {
      const std::shared_ptr<Entry> entry = Durable(Target::Users(users));
      if (ttl) entry->expires_at = clock.WallMillis() + 500;
      ASSERT_TRUE(log.Append(entry)->ok());
    }
    clock.manual.Advance(ttl ? 500 : 1'000);
    clock.looks = 0;
    log.Trim();
    EXPECT_EQ(log.usage().entries, 0u);
    EXPECT_GE(clock.looks, kEntries) << "a step may take one of them at the most";
  }
}

TEST(MemoryLogTest, WhatIsReplacedOrPastItsTtlLeavesNoRecord) {
  ManualClock clock;
  MemoryLog log({}, clock);
  const size_t empty = log.usage().bytes;
  for (UserId user = 1; user <= 100; ++user) {
    for (int i = 0; i < 5; ++i) {
      auto entry = i % 2 == 0 ? Latest(Target::Users({user, user + 1}), i)
                              : Durable(Target::UserInRoom(user, "room"));
      entry->expires_at = clock.WallMillis() + 1'000;
      ASSERT_TRUE(log.Append(entry)->ok());
    }
  }
  EXPECT_GT(log.usage().bytes, empty);
  clock.Advance(1'000);
  log.Trim();
  EXPECT_EQ(log.usage().entries, 0u);
  EXPECT_EQ(log.usage().audiences, 0u);
  EXPECT_EQ(log.usage().bytes, empty);
  EXPECT_EQ(log.usage().evicted, 0u);
}

}  // namespace
}  // namespace msab
