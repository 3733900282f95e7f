#include "server/shard/shard_inbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/entries.h"

namespace msab::test {
namespace {

InboxItem Numbered(uint64_t number) {
  auto entry = Durable(Target::Everyone());
  entry->sequence = number;
  return {std::move(entry), nullptr};
}

TEST(ShardInbox, GivesItemsInTheOrderOfTheirPush) {
  ShardInbox inbox(10, [] {});
  int ran = 0;
  inbox.Push(Numbered(1));
  inbox.Push({nullptr, [&ran] { ++ran; }});
  inbox.Push(Numbered(2));
  std::vector<InboxItem> items;
  inbox.TakeAll(items);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].entry->sequence, 1u);
  ASSERT_EQ(items[1].entry, nullptr);
  items[1].task();
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(items[2].entry->sequence, 2u);
}

TEST(ShardInbox, WakesItsShardOnceUntilItIsEmptiedAgain) {
  int woken = 0;
  ShardInbox inbox(10, [&woken] { ++woken; });
  for (int i = 0; i < 5; ++i) inbox.Push(Numbered(1));
  EXPECT_EQ(woken, 1);
  std::vector<InboxItem> items;
  inbox.TakeAll(items);
  EXPECT_EQ(woken, 1);
  // Taken is emptied, whether or not the shard has handled them yet.
  inbox.Push(Numbered(2));
  EXPECT_EQ(woken, 2);
  inbox.Push(Numbered(3));
  EXPECT_EQ(woken, 2);
}

TEST(ShardInbox, HasRoomUpToItsBound) {
  ShardInbox inbox(3, [] {});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(inbox.HasRoom());
    inbox.Push(Numbered(1));
  }
  EXPECT_FALSE(inbox.HasRoom());
  // A task overshoots.
  inbox.Push({nullptr, [] {}});
  EXPECT_EQ(inbox.size(), 4u);
}

// What a shard has taken but not handled still burdens it.
TEST(ShardInbox, CountsItemsUntilTheyAreHandled) {
  ShardInbox inbox(2, [] {});
  inbox.Push(Numbered(1));
  inbox.Push(Numbered(2));
  std::vector<InboxItem> items;
  inbox.TakeAll(items);
  EXPECT_EQ(inbox.size(), 2u);
  EXPECT_FALSE(inbox.HasRoom());
  inbox.Handled(1);
  EXPECT_EQ(inbox.size(), 1u);
  EXPECT_TRUE(inbox.HasRoom());
}

// No item is lost, every producer's order is kept, and no push goes without a wake that follows it.
TEST(ShardInbox, ServesManyProducers) {
  constexpr int kProducers = 4;
  constexpr uint64_t kEach = 5000;
  std::atomic<int> wakes{0};
  ShardInbox inbox(1, [&wakes] { wakes.fetch_add(1); });
  std::vector<std::thread> producers;
  for (uint64_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([&inbox, p] {
      for (uint64_t i = 1; i <= kEach; ++i) inbox.Push(Numbered(p << 32 | i));
    });
  }
  std::vector<uint64_t> last(kProducers, 0);
  std::vector<InboxItem> items;
  uint64_t taken = 0;
  int seen = 0;
  while (taken < kProducers * kEach) {
    // Only a wake makes the consumer look.
    const int woken = wakes.load();
    if (woken == seen) {
      std::this_thread::yield();
      continue;
    }
    seen = woken;
    items.clear();
    inbox.TakeAll(items);
    for (const InboxItem& item : items) {
      const uint64_t p = item.entry->sequence >> 32;
      ASSERT_EQ(item.entry->sequence & 0xffffffff, ++last[p]);
    }
    taken += items.size();
    inbox.Handled(items.size());
  }
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(inbox.size(), 0u);
}

}  // namespace
}  // namespace msab::test
