#include <gtest/gtest.h>

#include "server/log/audience_index.h"

namespace msab {
namespace {

// jemalloc(3), "Implementation notes": the size classes of a machine with 4 KiB pages.
TEST(HeapCostTest, IsTheAllocatorsClass) {
  EXPECT_EQ(HeapCost(0), 0u);
  EXPECT_EQ(HeapCost(1), 16u);
  EXPECT_EQ(HeapCost(17), 32u);
  EXPECT_EQ(HeapCost(128), 128u);
  EXPECT_EQ(HeapCost(129), 160u);
  EXPECT_EQ(HeapCost(256), 256u);
  EXPECT_EQ(HeapCost(257), 320u);
  EXPECT_EQ(HeapCost(1025), 1280u);
  EXPECT_EQ(HeapCost(2049), 2560u);
  EXPECT_EQ(HeapCost(4096), 4096u);
}

}  // namespace
}  // namespace msab
