#include "server/shard/frame_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "server/protocol/native_dialect.h"
#include "tests/support/entries.h"

namespace msab::test {
namespace {

EntryPtr Numbered(uint64_t number, std::string payload = "{}") {
  auto entry = Durable(Target::User(1), std::move(payload));
  entry->sequence = number;
  return entry;
}

// The same dialect under the other id.
class OtherDialect final : public Dialect {
 public:
  DialectId id() const override { return DialectId::kSocketIo; }
  FramePtr Event(const EntryPtr&, std::string_view) const override {
    return Frame::Text({"other"});
  }
  FramePtr Hello(const Welcome&) const override { return {}; }
  FramePtr Live(const Cursor&) const override { return {}; }
  FramePtr Ping(const Cursor&) const override { return {}; }
  FramePtr Reply(int64_t, const CommandResult&) const override { return {}; }
  ClientMessage Decode(std::string_view) const override { return {}; }
};

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
  const OtherDialect other;
  FrameCache cache;
  const EntryPtr entry = Numbered(5);
  const FramePtr first = cache.Get(native, entry, "e");
  EXPECT_EQ(cache.Get(other, entry, "e")->text(), "other");
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
