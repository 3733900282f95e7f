// A client that does not keep up: closed, and whole again after it resumed; nobody else notices.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

constexpr int kEvents = 400;  // of 50 kB: more than the sockets' buffers hold
constexpr int kSlowConsumer = 4000;

// About 50 kB to everyone, numbered.
std::string BigEvent(int number) {
  std::string ids = absl::StrCat("\"", number, "\"");
  for (int i = 0; i < 200; ++i) absl::StrAppend(&ids, ",\"", std::string(250, 'a'), "\"");
  return absl::StrCat(R"({"asset_invalidate":{"asset_ids":[)", ids, "]}}");
}

int NumberOf(const Json& frame) {
  const Json& ids = At(At(frame, "data"), "asset_ids");
  return ids.is_array() ? std::stoi(ids.as_array()[0].as_string().c_str()) : -1;
}

class SlowReaderTest : public RelayTest {
 protected:
  void SetUp() override { Start({.settings = {{"ws.high_water", "256KiB"}}}); }

  Client ConnectSlow(int64_t user) {
    Client slow = Open({.token = UserToken(user), .receive_buffer = 4'096});
    EXPECT_TRUE(slow.Replay().empty());
    return slow;
  }

  // Emits those from `begin` to before `end`, never far ahead of `reader`, which is to keep up on
  // the slowest machine; what it got, by number.
  std::vector<int> EmitWhileReading(Client& reader, int begin = 0, int end = kEvents) {
    constexpr int kAhead = 2;
    std::atomic<int> read{begin};
    auto numbers = std::async(std::launch::async, [&reader, &read, begin, end] {
      std::vector<int> got;
      while (got.size() < static_cast<size_t>(end - begin)) {
        const Json frame = reader.Next();
        if (frame.is_null()) break;
        got.push_back(NumberOf(frame));
        ++read;
        read.notify_one();
      }
      // After an early end nobody is waited for.
      read = end;
      read.notify_one();
      return got;
    });
    for (int i = begin; i < end; ++i) {
      for (int seen = read; i - seen >= kAhead; seen = read) read.wait(seen);
      Emit(BigEvent(i));
    }
    return numbers.get();
  }
};

TEST_F(SlowReaderTest, IsClosedAndResumesWholeWhileOthersAreUndisturbed) {
  Client slow = ConnectSlow(101);
  Client quick = Connect(102);
  std::vector<int> all(kEvents);
  for (int i = 0; i < kEvents; ++i) all[i] = i;
  // Until it is closed: it must read the close frame while it is waited for.
  std::vector<int> quickly;
  const auto emit_some = [&] {
    constexpr int kSome = 8;
    const auto begin = static_cast<int>(quickly.size());
    const std::vector<int> got =
        EmitWhileReading(quick, begin, std::min<int>(begin + kSome, kEvents));
    quickly.insert(quickly.end(), got.begin(), got.end());
    return !got.empty();
  };
  while (relay().Metric("msab_sessions") == 2 && emit_some()) {
  }

  std::vector<int> got;
  std::string cursor = slow.cursor();
  while (true) {
    const Json frame = slow.Next();
    if (frame.is_null()) break;
    got.push_back(NumberOf(frame));
    cursor = Text(frame, "cursor");
  }
  EXPECT_EQ(slow.CloseCode(), kSlowConsumer);
  EXPECT_EQ(slow.CloseReason(), "slow consumer");
  while (emit_some()) {
  }
  EXPECT_EQ(quickly, all);
  EXPECT_FALSE(quick.socket().closed());
  EXPECT_LT(got.size(), all.size()) << "it was not slow enough to be closed";

  Client again = Open({.token = UserToken(101), .cursor = cursor});
  EXPECT_EQ(At(again.Welcome(), "recovered"), Json(true));
  for (const Json& frame : again.Replay()) got.push_back(NumberOf(frame));
  EXPECT_EQ(got, all);
}

// A room's participants can be far more than what may wait for one connection.
TEST_F(SlowReaderTest, GetsTheParticipantsOfALargeRoom) {
  constexpr int kCrowd = 200;  // of 5 kB each
  // Long enough for all to have come and gone without having left.
  Start({.settings = {{"ws.high_water", "256KiB"}, {"rooms.leave_grace", "30m"}}});
  const std::string signature(5'000, 's');
  for (int64_t user = 1'001; user <= 1'000 + kCrowd; ++user) {
    Client one = Open(
        {.token = SignToken(absl::StrCat(R"({"sub":)", user, R"(,"exp":)", NowSeconds() + 3'600,
                                         R"(,"signature":")", signature, "\"}")),
         .rooms = {"42"}});
    ASSERT_TRUE(one.Replay().empty());
  }
  Client slow = ConnectSlow(101);
  const Json joined = slow.Ask("room:join", R"({"roomId":"42"})");
  ASSERT_TRUE(Has(joined, "participants")) << slow.CloseCode();
  EXPECT_EQ(At(joined, "participants").as_array().size(), size_t{kCrowd} + 1);
  // And goes on as any other.
  Emit(Marker(101, 1));
  EXPECT_EQ(MarkerNumber(slow.Next()), 1);
}

TEST_F(SlowReaderTest, OneThatReadsNothingIsAbortedAndNoLongerOnline) {
  Client dead = ConnectSlow(101);
  Client quick = Connect(102);
  EmitWhileReading(quick);
  // Without a word from it: the close frame can't be sent, and a while later it is gone.
  EXPECT_TRUE(Await([this] { return Emit(Marker(101, 1)).users_online == 0; }));
}

TEST_F(SlowReaderTest, StatesAndSpeakersNeverCloseAnybody) {
  Client slow = ConnectSlow(101);
  slow.Ask("room:join", R"({"roomId":"42"})");
  Client quick = Connect(102, {"42"});
  Fence({&slow});  // what the second join told
  // Far more than the high-water mark of what may be dropped or replaced, and a last state.
  std::vector<std::string> batch;
  const std::string name(60, 's');
  std::string speakers = absl::StrCat("\"", name, "\"");
  for (int i = 0; i < 50; ++i) absl::StrAppend(&speakers, ",\"", name, "\"");
  for (int i = 0; i < 500; ++i) {
    batch.push_back(absl::StrCat(R"({"speaker_active":{"roomId":"42","userId":"1",)",
                                 R"("activeSpeakers":[)", speakers, R"(],"timestamp":)", i, "}}"));
    batch.push_back(absl::StrCat(R"({"balance_updated":{"user_id":101,"coins":")", i, R"("}})"));
  }
  auto reading = std::async(std::launch::async, [&quick] {
    return quick.Until([](const Json& frame) { return MarkerNumber(frame) == 1; });
  });
  for (int round = 0; round < 8; ++round) {
    for (const Answer& answer : door().EmitBatch(batch)) ASSERT_TRUE(answer.ok());
  }
  Emit(Marker(102, 1));
  reading.get();
  Emit(Marker(101, 1));
  const std::vector<Json> frames =
      slow.Until([](const Json& frame) { return MarkerNumber(frame) == 1; });
  ASSERT_FALSE(slow.socket().closed()) << slow.CloseCode();
  std::string coins;
  uint64_t last = 0;
  for (const Json& frame : frames) {
    if (!Has(frame, "cursor")) continue;
    EXPECT_GT(Sequence(Text(frame, "cursor")), last);
    last = Sequence(Text(frame, "cursor"));
    if (Text(frame, "event") == "balance.updated") coins = Text(At(frame, "data"), "coins");
  }
  EXPECT_EQ(coins, "499") << "the last state must not be lost";
}

}  // namespace
}  // namespace msab::e2e
