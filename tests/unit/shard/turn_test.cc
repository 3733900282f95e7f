// What a turn leaves over is taken up by the next, whatever came in between.
#include <gtest/gtest.h>

#include "tests/unit/shard/harness.h"

namespace msab::test {
namespace {

TEST(Turn, TakesUpWhatCameWhileTheRestOfALongInboxWasHandled) {
  TestHouse house;
  Shard& shard = house.shard();
  house.Settle();
  // More than one turn's share; the first of them sends another one after it. The clock stands
  // still, so that no tick of the timers comes to its help.
  bool ran = false;
  shard.Post([&] { shard.Post([&ran] { ran = true; }); });
  for (int i = 0; i < 100; ++i) shard.Post([] {});
  house.Settle();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace msab::test
