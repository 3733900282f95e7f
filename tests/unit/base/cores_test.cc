#include "server/base/cores.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace msab {
namespace {

class CgroupQuotaTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Limit(const std::string& group, const std::string& cpu_max) const {
    std::filesystem::create_directories(root_ + group);
    std::ofstream(root_ + group + "/cpu.max") << cpu_max << "\n";
  }

  const std::string root_ = ::testing::TempDir() + "cgroup-" +
                            ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(CgroupQuotaTest, TakesTheLeastOnTheWayUp) {
  Limit("/a", "150000 100000");
  Limit("/a/b", "max 100000");
  Limit("/a/b/c", "400000 100000");
  Limit("/d", "max 100000");
  EXPECT_DOUBLE_EQ(CgroupQuota(root_, "/a/b/c"), 1.5);
  EXPECT_DOUBLE_EQ(CgroupQuota(root_, "/a/b"), 1.5);
  EXPECT_DOUBLE_EQ(CgroupQuota(root_, "/d"), 0);
}

TEST_F(CgroupQuotaTest, IsSilentWhereThereIsNone) {
  EXPECT_DOUBLE_EQ(CgroupQuota(root_, "/"), 0);
  EXPECT_DOUBLE_EQ(CgroupQuota(root_, "/no/such/group"), 0);
  Limit("/odd", "some words");
  EXPECT_DOUBLE_EQ(CgroupQuota(root_, "/odd"), 0);
  // In a container the group is the root itself.
  Limit("", "50000 100000");
  EXPECT_DOUBLE_EQ(CgroupQuota(root_, "/"), 0.5);
}

TEST(UsableCoresTest, IsAtLeastOne) { EXPECT_GE(UsableCores(), 1); }

}  // namespace
}  // namespace msab
