#include "server/base/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace msab {
namespace {

TEST(DescriptorsTest, ClientsGetMostOfThemAndNeverAll) {
  for (const size_t all : {64, 256, 1'024, 4'096, 20'000, 1'048'576}) {
    const DescriptorShares shares = ShareDescriptors(all);
    EXPECT_GE(shares.connections, all * 3 / 4) << all;
    EXPECT_GT(shares.sockets, shares.connections) << all;
    EXPECT_LE(shares.sockets + all / 100, all) << all;
  }
  // What the internal ports hold at the most by default.
  EXPECT_GE(20'000 - ShareDescriptors(20'000).sockets, 300u);
}

TEST(DescriptorsTest, ClientsAreNeverKeptOutWhollyNorLimitedWithoutNeed) {
  EXPECT_GE(ShareDescriptors(1).connections, 1u);
  EXPECT_EQ(ShareDescriptors(0).connections, 0u);
  EXPECT_EQ(ShareDescriptors(0).sockets, 0u);
}

TEST(DescriptorsTest, TheSoftLimitBecomesTheHardOne) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 200;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const size_t raised = RaiseDescriptorLimit();
  EXPECT_EQ(raised, before.rlim_max == RLIM_INFINITY ? 0 : before.rlim_max);
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace msab
