#include "server/base/token_bucket.h"

#include <gtest/gtest.h>

namespace msab {
namespace {

TEST(TokenBucketTest, AllowsTheBurstThenTheRate) {
  const Rate rate = Rate::PerSecond(100, 20);
  TokenBucket bucket;
  int64_t now = 5'000;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(bucket.Take(rate, now), 0);
  EXPECT_EQ(bucket.Take(rate, now), 50);
  // Asking in vain costs nothing.
  EXPECT_EQ(bucket.Take(rate, now + 49), 1);
  EXPECT_EQ(bucket.Take(rate, now + 50), 0);
  EXPECT_EQ(bucket.Take(rate, now + 50), 50);
  int taken = 0;
  for (now += 50; now < 5'000 + 50 + 10'000; ++now) taken += bucket.Take(rate, now) == 0 ? 1 : 0;
  EXPECT_NEAR(taken, 200, 1);
}

TEST(TokenBucketTest, NeverSavesMoreThanTheBurst) {
  const Rate rate = Rate::PerMinute(60);
  TokenBucket bucket;
  for (int i = 0; i < 30; ++i) EXPECT_EQ(bucket.Take(rate, 0), 0);
  EXPECT_FALSE(bucket.FullAt(rate, 29'999));
  EXPECT_TRUE(bucket.FullAt(rate, 30'000));
  int taken = 0;
  while (bucket.Take(rate, 1'000'000'000) == 0) ++taken;
  EXPECT_EQ(taken, 60);
}

}  // namespace
}  // namespace msab
