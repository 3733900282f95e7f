#include "server/shard/frame_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "server/protocol/native_dialect.h"
#include "server/protocol/socketio_dialect.h"
#include "tests/support/entries.h"

namespace msab::test {
namespace {

EntryPtr Numbered(uint64_t number, std::string payload = "{}") {
  auto entry = Durable(Target::User(1), std::move(payload));
  entry->sequence = number;
  return entry;
}

TEST(FrameCache, FramesAnEntryOnceForAll) {
  const NativeDialect native;
  FrameCache cache;
  EXPECT_TRUE(cache.empty());
  const EntryPtr entry = Numbered(5);
  const FramePtr first = cache.Get(native, entry, "e");
  EXPECT_EQ(first->text(), R"({"event":"test.durable","data":{},"cursor":"e-5"})");
  EXPECT_EQ(cache.Get(native, entry, "e").get(), first.get());
  EXPECT_FALSE(cache.empty());
}

TEST(FrameCache, KeepsDialectsApart) {
  const NativeDialect native;
  const SocketIoDialect other;
  FrameCache cache;
  const EntryPtr entry = Numbered(5);
  const FramePtr first = cache.Get(native, entry, "e");
  EXPECT_EQ(cache.Get(other, entry, "e")->text(), R"(42["test.durable",{},"e-5"])");
  EXPECT_EQ(cache.Get(native, entry, "e").get(), first.get());
}

// Numbers that share a slot take it from each other and never get each other's frame.
TEST(FrameCache, NeverGivesAnotherEntrysFrame) {
  const NativeDialect native;
  FrameCache cache;
  for (uint64_t number = 1; number < 30'000; number += 997) {
    for (const uint64_t shift : {0, 1024, 4096, 8192, 65'536}) {
      const EntryPtr entry = Numbered(number + shift);
      EXPECT_EQ(cache.Get(native, entry, "e")->text(), native.Event(entry, "e")->text());
    }
  }
}

TEST(FrameCache, LeavesOutWhatIsLarge) {
  const NativeDialect native;
  FrameCache cache;
  const EntryPtr large = Numbered(5, "{\"x\":\"" + std::string(60'000, 'x') + "\"}");
  const FramePtr frame = cache.Get(native, large, "e");
  EXPECT_EQ(frame->text(), native.Event(large, "e")->text());
  EXPECT_NE(cache.Get(native, large, "e").get(), frame.get());
}

TEST(FrameCache, GivesItsMemoryBack) {
  const NativeDialect native;
  FrameCache cache;
  EntryPtr entry = [] {
    auto latest = Latest(Target::User(1), 1);
    latest->sequence = 3;
    return latest;
  }();
  const std::weak_ptr<const Entry> watched = entry;
  cache.Get(native, entry, "e");
  entry.reset();
  EXPECT_FALSE(watched.expired());
  cache.Clear();
  EXPECT_TRUE(watched.expired());
  EXPECT_TRUE(cache.empty());
}

}  // namespace
}  // namespace msab::test
