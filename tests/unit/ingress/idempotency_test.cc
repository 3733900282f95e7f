#include "server/ingress/idempotency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "server/base/clock.h"

namespace msab {
namespace {

using Verdict = Idempotency::Verdict;

// A waiter that remembers what it was told.
struct Waiting final : public Idempotency::Waiter {
  void OnSettled(const Idempotency::Result* result) override {
    ++told;
    kept = result != nullptr;
    if (result != nullptr) sequence = result->sequence;
    if (then) then();
  }
  int told = 0;
  bool kept = false;
  uint64_t sequence = 0;
  std::function<void()> then;
};

Idempotency::Result Numbered(uint64_t sequence) {
  Idempotency::Result result;
  result.sequence = sequence;
  result.recipients = {3, 2, 5};
  return result;
}

class IdempotencyTest : public ::testing::Test {
 protected:
  int64_t Now() const { return clock_.SteadyMillis(); }

  // Claims and keeps; true if the id was new.
  bool Emit(Idempotency& ids, const std::string& id, uint64_t sequence, uint64_t content = 1) {
    const auto claimed = ids.Claim(id, content, Now(), &waiting_);
    if (claimed.verdict != Verdict::kFirst) return false;
    ids.Keep(claimed.held, Numbered(sequence));
    return true;
  }

  ManualClock clock_;
  Waiting waiting_;
};

TEST_F(IdempotencyTest, ARepeatGetsTheFirstResult) {
  Idempotency ids({});
  ASSERT_TRUE(Emit(ids, "a", 7));
  const auto repeat = ids.Claim("a", 1, Now(), &waiting_);
  ASSERT_EQ(repeat.verdict, Verdict::kRepeat);
  EXPECT_EQ(repeat.result.sequence, 7u);
  EXPECT_EQ(repeat.result.recipients.users_targeted, 3u);
  EXPECT_EQ(repeat.result.recipients.users_online, 2u);
  EXPECT_EQ(repeat.result.recipients.connections, 5u);
  EXPECT_EQ(waiting_.told, 0);
}

TEST_F(IdempotencyTest, OtherContentIsOther) {
  Idempotency ids({});
  ASSERT_TRUE(Emit(ids, "a", 1, /*content=*/1));
  EXPECT_EQ(ids.Claim("a", 2, Now(), &waiting_).verdict, Verdict::kOther);
  // Also while the first is under way, and never does it wait for that.
  const auto held = ids.Claim("b", 1, Now(), &waiting_).held;
  EXPECT_EQ(ids.Claim("b", 2, Now(), &waiting_).verdict, Verdict::kOther);
  ids.Keep(held, Numbered(2));
  EXPECT_EQ(waiting_.told, 0);
}

TEST_F(IdempotencyTest, IdsEndWithTheWindow) {
  Idempotency ids({.window_ms = 1'000});
  ASSERT_TRUE(Emit(ids, "a", 1));
  clock_.Advance(999);
  EXPECT_EQ(ids.Claim("a", 1, Now(), &waiting_).verdict, Verdict::kRepeat);
  clock_.Advance(1'000);
  EXPECT_TRUE(Emit(ids, "a", 2, /*content=*/9));  // new, whatever it is used for
}

TEST_F(IdempotencyTest, ARepeatBeginsTheWindowAnew) {
  Idempotency ids({.window_ms = 1'000});
  ASSERT_TRUE(Emit(ids, "a", 1));
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(900);
    EXPECT_EQ(ids.Claim("a", 1, Now(), &waiting_).verdict, Verdict::kRepeat);
  }
}

TEST_F(IdempotencyTest, AnEmitUnderWayIsNeverOutdated) {
  Idempotency ids({.window_ms = 1'000});
  const auto held = ids.Claim("a", 1, Now(), &waiting_).held;
  clock_.Advance(5'000);
  Waiting late;
  EXPECT_EQ(ids.Claim("a", 1, Now(), &late).verdict, Verdict::kWaits);
  ids.Keep(held, Numbered(1));
  EXPECT_EQ(late.sequence, 1u);
}

TEST_F(IdempotencyTest, OutdatedIdsAreClearedAwayByLaterClaims) {
  Idempotency ids({.window_ms = 1'000});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Emit(ids, "old" + std::to_string(i), i));
  clock_.Advance(1'000);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Emit(ids, "new" + std::to_string(i), i));
  EXPECT_EQ(ids.size(), 100u);
}

TEST_F(IdempotencyTest, TheLongestUnheardOfGoFirst) {
  Idempotency ids({.max_entries = 3});
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(Emit(ids, id, 1));
  ASSERT_EQ(ids.Claim("a", 1, Now(), &waiting_).verdict, Verdict::kRepeat);
  ASSERT_TRUE(Emit(ids, "d", 1));
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids.Claim("a", 1, Now(), &waiting_).verdict, Verdict::kRepeat);
  EXPECT_EQ(ids.Claim("c", 1, Now(), &waiting_).verdict, Verdict::kRepeat);
  EXPECT_EQ(ids.Claim("d", 1, Now(), &waiting_).verdict, Verdict::kRepeat);
  EXPECT_TRUE(Emit(ids, "b", 2));
}

TEST_F(IdempotencyTest, TheBoundNeverTakesWhatIsUnderWay) {
  Idempotency ids({.max_entries = 2});
  std::vector<Idempotency::Held*> held;
  for (const char* id : {"a", "b", "c", "d"})
    held.push_back(ids.Claim(id, 1, Now(), &waiting_).held);
  EXPECT_EQ(ids.size(), 4u);
  for (auto* one : held) ids.Keep(one, Numbered(1));
  ASSERT_TRUE(Emit(ids, "e", 1));
  EXPECT_EQ(ids.size(), 2u);
  EXPECT_EQ(ids.Claim("d", 1, Now(), &waiting_).verdict, Verdict::kRepeat);
}

TEST_F(IdempotencyTest, RepeatsWaitForTheFirst) {
  Idempotency ids({});
  const auto held = ids.Claim("a", 1, Now(), &waiting_).held;
  Waiting one, two;
  EXPECT_EQ(ids.Claim("a", 1, Now(), &one).verdict, Verdict::kWaits);
  EXPECT_EQ(ids.Claim("a", 1, Now(), &two).verdict, Verdict::kWaits);
  EXPECT_EQ(one.told, 0);
  ids.Keep(held, Numbered(5));
  for (const Waiting* waiting : {&one, &two}) {
    EXPECT_EQ(waiting->told, 1);
    EXPECT_TRUE(waiting->kept);
    EXPECT_EQ(waiting->sequence, 5u);
  }
}

TEST_F(IdempotencyTest, AfterAFailureOneOfThoseWhoWaitedIsTheFirst) {
  Idempotency ids({});
  const auto held = ids.Claim("a", 1, Now(), &waiting_).held;
  Waiting one, two;
  ASSERT_EQ(ids.Claim("a", 1, Now(), &one).verdict, Verdict::kWaits);
  ASSERT_EQ(ids.Claim("a", 1, Now(), &two).verdict, Verdict::kWaits);
  Idempotency::Claimed again_one{}, again_two{};
  Waiting later;
  one.then = [&] { again_one = ids.Claim("a", 1, Now(), &later); };
  two.then = [&] { again_two = ids.Claim("a", 1, Now(), &later); };
  ids.Release(held);
  EXPECT_FALSE(one.kept);
  EXPECT_EQ(again_one.verdict, Verdict::kFirst);  // the one that came first
  EXPECT_EQ(again_two.verdict, Verdict::kWaits);
  ids.Keep(again_one.held, Numbered(8));
  EXPECT_EQ(later.sequence, 8u);
}

TEST_F(IdempotencyTest, AFreedIdMayBecomeSomethingElse) {
  Idempotency ids({});
  ids.Release(ids.Claim("a", 1, Now(), &waiting_).held);
  EXPECT_EQ(ids.size(), 0u);
  EXPECT_TRUE(Emit(ids, "a", 1, /*content=*/2));
}

TEST_F(IdempotencyTest, IdsAreBytes) {
  Idempotency ids({});
  const std::string longest(128, 'x');
  ASSERT_TRUE(Emit(ids, longest, 1));
  ASSERT_TRUE(Emit(ids, std::string("a\0b", 3), 2));
  ASSERT_TRUE(Emit(ids, std::string("a\0c", 3), 3));
  EXPECT_EQ(ids.Claim(longest, 1, Now(), &waiting_).verdict, Verdict::kRepeat);
  EXPECT_EQ(ids.Claim(std::string("a\0b", 3), 1, Now(), &waiting_).result.sequence, 2u);
}

// Many threads emit the same ids, some emits fail: every id is accepted exactly once, and every
// emit of it that is not refused learns the same number.
TEST_F(IdempotencyTest, RacingEmitsAreAcceptedOnce) {
  constexpr int kThreads = 4;
  constexpr int kIds = 20'000;
  Idempotency ids({});
  std::atomic<uint64_t> next{1};
  std::vector<std::atomic<uint64_t>> number(kIds);
  std::atomic<int> answered{0}, accepted{0}, wrong{0};

  struct Emitting final : public Idempotency::Waiter {
    void Start() {
      const auto claimed = ids->Claim("id" + std::to_string(index), index, 0, this);
      if (claimed.verdict == Verdict::kRepeat) return Learn(claimed.result.sequence);
      if (claimed.verdict != Verdict::kFirst) return;
      if (fails-- > 0) {
        ids->Release(claimed.held);
        return Start();
      }
      const uint64_t sequence = (*next)++;
      ++*accepted;
      ids->Keep(claimed.held, Numbered(sequence));
      Learn(sequence);
    }
    void OnSettled(const Idempotency::Result* result) override {
      if (result == nullptr) return Start();
      Learn(result->sequence);
    }
    void Learn(uint64_t sequence) {
      uint64_t none = 0;
      if (!(*number)[index].compare_exchange_strong(none, sequence) && none != sequence) ++*wrong;
      ++*answered;
    }
    Idempotency* ids;
    std::vector<std::atomic<uint64_t>>* number;
    std::atomic<uint64_t>* next;
    std::atomic<int>*answered, *accepted, *wrong;
    int index = 0;
    int fails = 0;
  };

  std::vector<std::vector<Emitting>> emits(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    emits[t] = std::vector<Emitting>(kIds);
    for (int i = 0; i < kIds; ++i) {
      Emitting& emit = emits[t][i];
      emit.ids = &ids;
      emit.number = &number;
      emit.next = &next;
      emit.answered = &answered;
      emit.accepted = &accepted;
      emit.wrong = &wrong;
      emit.index = i;
      emit.fails = (i + t) % 3 == 0 ? 1 : 0;
    }
  }
  std::vector<std::thread> threads;
  std::latch all_there(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&emits, &all_there, t] {
      all_there.arrive_and_wait();
      for (Emitting& emit : emits[t]) emit.Start();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted, kIds);
  EXPECT_EQ(answered, kThreads * kIds);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(ids.size(), static_cast<size_t>(kIds));
}

}  // namespace
}  // namespace msab
