#include "server/rooms/chat_limit.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace msab {
namespace {

TEST(ChatLimit, ABurstOfAMinutesWorthThenOneAtATime) {
  ManualClock clock;
  ChatLimit limit(clock, 60);
  for (int i = 0; i < 60; ++i) ASSERT_EQ(limit.Take(1, "a"), 0) << i;
  EXPECT_EQ(limit.Take(1, "a"), 1000);
  clock.Advance(400);
  EXPECT_EQ(limit.Take(1, "a"), 600);
  clock.Advance(600);
  EXPECT_EQ(limit.Take(1, "a"), 0);
  EXPECT_EQ(limit.Take(1, "a"), 1000);
}

TEST(ChatLimit, ARefusalCostsNothing) {
  ManualClock clock;
  ChatLimit limit(clock, 2);
  ASSERT_EQ(limit.Take(1, "a"), 0);
  ASSERT_EQ(limit.Take(1, "a"), 0);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(limit.Take(1, "a"), 30'000);
  clock.Advance(30'000);
  EXPECT_EQ(limit.Take(1, "a"), 0);
}

TEST(ChatLimit, WaitingAsToldIsEnoughWhateverTheRate) {
  for (const int per_minute : {1, 7, 59, 61, 1000, 70'000}) {
    ManualClock clock;
    ChatLimit limit(clock, per_minute);
    for (int i = 0; i < per_minute; ++i) ASSERT_EQ(limit.Take(1, "a"), 0) << per_minute;
    for (int i = 0; i < 10; ++i) {
      if (const int64_t wait = limit.Take(1, "a"); wait > 0) {
        clock.Advance(wait);
        EXPECT_EQ(limit.Take(1, "a"), 0) << per_minute;
      }
    }
  }
}

TEST(ChatLimit, UsersAndRoomsDoNotShare) {
  ManualClock clock;
  ChatLimit limit(clock, 1);
  EXPECT_EQ(limit.Take(1, "a"), 0);
  EXPECT_EQ(limit.Take(1, "b"), 0);
  EXPECT_EQ(limit.Take(2, "a"), 0);
  EXPECT_GT(limit.Take(1, "a"), 0);
}

TEST(ChatLimit, ForgetsFullBuckets) {
  ManualClock clock;
  ChatLimit limit(clock, 60);
  for (int user = 1; user <= 100'000; ++user) {
    ASSERT_EQ(limit.Take(user, "a"), 0);
    clock.Advance(1);
  }
  // Each bucket is full again after a second, so about 1,000 of them say anything.
  EXPECT_LT(limit.size(), 4'096U);
}

TEST(ChatLimit, KeepsABucketThatIsNotFull) {
  ManualClock clock;
  ChatLimit limit(clock, 1);
  ASSERT_EQ(limit.Take(7, "a"), 0);
  for (int user = 100; user < 10'000; ++user) limit.Take(user, "a");
  EXPECT_EQ(limit.Take(7, "a"), 60'000);
}

TEST(ChatLimit, ThreadsShareOneBucket) {
  ManualClock clock;
  ChatLimit limit(clock, 500);
  std::vector<int> taken(4);
  std::vector<std::thread> threads;
  threads.reserve(taken.size());
  for (int& count : taken) {
    threads.emplace_back([&limit, &count] {
      for (int i = 0; i < 500; ++i) count += limit.Take(1, "a") == 0 ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken[0] + taken[1] + taken[2] + taken[3], 500);
}

}  // namespace
}  // namespace msab
