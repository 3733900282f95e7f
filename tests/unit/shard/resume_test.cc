// Coming back with a cursor: nothing lost, nothing twice, nothing out of order, or a gap that is
// said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "tests/unit/shard/harness.h"

namespace msab::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<uint64_t> Range(uint64_t first, uint64_t last) {
  std::vector<uint64_t> numbers(last - first + 1);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

class ResumeTest : public ::testing::Test {
 protected:
  void Open(HouseOptions options = {}) { house_ = std::make_unique<TestHouse>(options); }
  TestHouse& house() { return *house_; }

  std::string CursorAt(uint64_t number) { return absl::StrCat(house().log().epoch(), "-", number); }

  void EmitTo(const Target& target, int count, const std::string& payload = "{}") {
    for (int i = 0; i < count; ++i) house().Emit(Durable(target, payload));
  }

  // Connects with `login` and reads to `live`.
  struct Back {
    std::unique_ptr<Client> client;
    boost::json::object welcome;
    std::vector<std::string> replayed;
    std::string live;
  };
  Back Connect(const Login& login, int shard = 0, int receive_buffer = 0) {
    Back back;
    back.client = std::make_unique<Client>(house(), login, shard, receive_buffer);
    back.welcome = boost::json::parse(back.client->Next()).as_object().at("data").as_object();
    while (true) {
      back.live = back.client->Next();
      if (back.live.empty() || StringIn(back.live, "event") == "live") break;
      back.replayed.push_back(back.live);
    }
    return back;
  }

 private:
  std::unique_ptr<TestHouse> house_;
};

TEST_F(ResumeTest, StartsAtTheHeadWithoutACursor) {
  Open();
  EmitTo(Target::User(1), 3);
  const Back back = Connect({.user = 1});
  EXPECT_TRUE(back.welcome.at("recovered").is_null());
  EXPECT_EQ(back.welcome.at("cursor"), CursorAt(3).c_str());
  EXPECT_EQ(back.welcome.at("missed"), 0);
  EXPECT_EQ(back.welcome.if_contains("gap"), nullptr);
  EXPECT_THAT(back.replayed, IsEmpty());
  EXPECT_EQ(NumberOf(back.live), 3u);
}

TEST_F(ResumeTest, BringsExactlyWhatWasMissed) {
  Open();
  EmitTo(Target::User(1), 2);
  EmitTo(Target::User(2), 1);              // 3: another's
  EmitTo(Target::Everyone(), 1);           // 4
  EmitTo(Target::Room("42"), 1);           // 5
  EmitTo(Target::Room("43"), 1);           // 6: not resumed
  EmitTo(Target::UserInRoom(1, "42"), 1);  // 7
  EmitTo(Target::UserInRoom(2, "42"), 1);  // 8: another's
  const Back back = Connect({.user = 1, .cursor = CursorAt(1), .rooms = "42"});
  EXPECT_EQ(back.welcome.at("recovered"), true);
  EXPECT_EQ(back.welcome.at("cursor"), CursorAt(1).c_str());
  EXPECT_EQ(back.welcome.at("missed"), 4);
  EXPECT_THAT(NumbersOf(back.replayed), ElementsAre(2, 4, 5, 7));
  EXPECT_EQ(NumberOf(back.live), 8u);
  // Its own coming is the room's event 9, and not for itself.
  EXPECT_EQ(house().counters().resumed.Value(), 1);
  EXPECT_EQ(house().counters().replayed.Value(), 4);

  EmitTo(Target::Room("42"), 1);
  EXPECT_THAT(NumbersOf(back.client->Texts()), ElementsAre(10));
}

// A page that loads its state by HTTP asks for the cursor first: 0 is "before the first event".
TEST_F(ResumeTest, StartsBeforeTheFirstEvent) {
  Open();
  EmitTo(Target::User(1), 2);
  EXPECT_THAT(NumbersOf(Connect({.user = 1, .cursor = CursorAt(0)}).replayed), ElementsAre(1, 2));
}

TEST_F(ResumeTest, LeavesOutWhatTheUserIsExceptedFrom) {
  Open();
  auto except = Durable(Target::Everyone());
  except->except_user = 1;
  house().Emit(except);
  EmitTo(Target::Everyone(), 1);
  const Back back = Connect({.user = 1, .cursor = CursorAt(0)});
  EXPECT_EQ(back.welcome.at("missed"), 1);
  EXPECT_THAT(NumbersOf(back.replayed), ElementsAre(2));
}

TEST_F(ResumeTest, SaysAGapForACursorThatIsNotOfThisLog) {
  Open();
  EmitTo(Target::User(1), 2);
  for (const std::string& cursor :
       {std::string("nonsense"), std::string("-1"), std::string("other-1"), CursorAt(3),
        CursorAt(1) + "x", CursorAt(18446744073709551615u)}) {
    const Back back = Connect({.user = 1, .cursor = cursor});
    EXPECT_EQ(back.welcome.at("recovered"), false) << cursor;
    EXPECT_EQ(back.welcome.at("gap"), "epoch") << cursor;
    EXPECT_EQ(back.welcome.at("cursor"), CursorAt(2).c_str()) << cursor;
    EXPECT_THAT(back.replayed, IsEmpty()) << cursor;
  }
  EXPECT_EQ(house().counters().gaps_epoch.Value(), 6);
}

TEST_F(ResumeTest, SaysAGapOnlyIfItsOwnAudienceWasCut) {
  HouseOptions options;
  options.log.max_per_audience = 5;
  Open(options);
  EmitTo(Target::User(1), 1);
  EmitTo(Target::Room("busy"), 20);
  EmitTo(Target::User(1), 1);

  const Back quiet = Connect({.user = 1, .cursor = CursorAt(0)});
  EXPECT_EQ(quiet.welcome.at("recovered"), true);
  EXPECT_THAT(NumbersOf(quiet.replayed), ElementsAre(1, 22));

  const Back busy = Connect({.user = 1, .cursor = CursorAt(1), .rooms = "busy"});
  EXPECT_EQ(busy.welcome.at("recovered"), false);
  EXPECT_EQ(busy.welcome.at("gap"), "expired");
  EXPECT_THAT(busy.replayed, IsEmpty());
  EXPECT_EQ(house().counters().gaps_expired.Value(), 1);
  EmitTo(Target::Room("busy"), 1);
  EXPECT_THAT(busy.client->Texts(), ::testing::SizeIs(1));
}

// Several pages of history.
TEST_F(ResumeTest, ReadsALongHistoryToItsEnd) {
  Open();
  EmitTo(Target::User(1), 3000);
  const Back back = Connect({.user = 1, .cursor = CursorAt(7)});
  EXPECT_EQ(back.welcome.at("missed"), 2993);
  EXPECT_EQ(NumbersOf(back.replayed), Range(8, 3000));
  EXPECT_EQ(house().counters().bytes_written.Value(),
            static_cast<int64_t>(back.client->wire().received()));
}

// Registered while the shard's inbox still holds older entries: those come by the replay, and the
// inbox must not bring them again.
TEST_F(ResumeTest, SkipsOlderEntriesThatWaitInTheInbox) {
  Open();
  const auto beside = Client::Live(house(), {.user = 1});
  const Client early(house(), {.bare = true});
  // Entries for a shard that is busy: handed out in parts, turn by turn, while sessions enter.
  for (int k = 0; k < 20; ++k) {
    EmitTo(Target::User(1), 100);
    auto client = std::make_unique<Client>(
        house(), Login{.user = 1, .cursor = CursorAt(static_cast<uint64_t>(k) * 90)});
    EmitTo(Target::User(1), 10);
    const uint64_t all = house().dispatcher().Head();
    EXPECT_EQ(StringIn(client->Next(), "event"), "welcome");
    std::vector<uint64_t> numbers;
    for (const std::string& text : client->Texts()) {
      if (StringIn(text, "event") != "live") numbers.push_back(NumberOf(text));
    }
    EXPECT_EQ(numbers, Range(static_cast<uint64_t>(k) * 90 + 1, all)) << k;
    client.reset();
  }
  EXPECT_EQ(NumbersOf(beside->Texts()), Range(1, house().dispatcher().Head()));
}

// A slow reader replays more than its outbox holds: the log is read as the client reads, live
// entries meanwhile come at their place.
TEST_F(ResumeTest, ReadsTheLogAsTheClientReads) {
  HouseOptions options;
  options.shard.session.high_water = 128 * 1024;
  Open(options);
  const std::string payload = "{\"x\":\"" + std::string(20'000, 'x') + "\"}";
  EmitTo(Target::User(1), 500, payload);  // 10 MB
  Client client(house(), {.user = 1, .cursor = CursorAt(0)}, 0, 8192);
  EXPECT_EQ(StringIn(client.Next(), "event"), "welcome");
  house().Settle();
  // It reads nothing now: what is put out is bounded.
  const int64_t replayed = house().counters().replayed.Value();
  EXPECT_LT(replayed, 400);
  std::vector<uint64_t> numbers;
  std::mt19937 random(3);
  bool live = false;
  for (uint64_t next = 501; numbers.size() < 1000;) {
    const std::string text = client.Next();
    ASSERT_FALSE(text.empty());
    if (StringIn(text, "event") == "live") {
      live = true;
      continue;
    }
    numbers.push_back(NumberOf(text));
    // Now and then, and when it has caught up.
    if (next <= 1000 && (random() % 2 == 0 || numbers.size() + 1 >= next)) {
      EmitTo(Target::User(1), 1);
      ++next;
    }
  }
  EXPECT_TRUE(live);
  EXPECT_EQ(numbers, Range(1, 1000));
  EXPECT_EQ(house().counters().sessions.Value(), 1);
}

// A replaying client takes its time: every byte that it reads is a sign of life, and none is not.
TEST_F(ResumeTest, SparesAReaderThatReplaysSlowly) {
  Open();
  const std::string payload = "{\"x\":\"" + std::string(40'000, 'x') + "\"}";
  EmitTo(Target::User(1), 400, payload);
  Client client(house(), {.user = 1, .cursor = CursorAt(0)}, 0, 8192);
  client.Next();
  // Less than what waits at a time, so the outbox is never empty meanwhile.
  for (int i = 0; i < 40; ++i) {
    const int64_t written = house().counters().bytes_written.Value();
    house().Until(
        [&] {
          client.wire().Pump(20'000);  // when the kernel passes on that there is room is its own
          return house().counters().bytes_written.Value() > written;
        },
        "more to be written");
    house().Pass(10'000, 10'000);
  }
  EXPECT_EQ(house().counters().sessions.Value(), 1);
  house().Pass(90'000);  // the next ping, and the time for its answer
  EXPECT_EQ(house().counters().sessions.Value(), 0);
}

// History is cut while a client replays it: no silent gap, but a close, and the next resume says
// what happened.
TEST_F(ResumeTest, ClosesWhenTheHistoryIsCutMeanwhile) {
  HouseOptions options;
  options.log.max_per_audience = 300;
  options.shard.session.high_water = 128 * 1024;
  Open(options);
  const std::string payload = "{\"x\":\"" + std::string(20'000, 'x') + "\"}";
  EmitTo(Target::User(1), 300, payload);
  Client client(house(), {.user = 1, .cursor = CursorAt(0)}, 0, 8192);
  EXPECT_THAT(client.Next(), HasSubstr(R"("recovered":true,"missed":300)"));
  house().Settle();
  EmitTo(Target::User(1), 299, payload);
  EXPECT_EQ(client.Closed(), 4000);
  // What came before the close frame is without a gap of its own.
  uint64_t last = 0;
  for (const WsClient::Frame& frame : client.wire().frames()) {
    if (frame.first != 0x81) continue;
    EXPECT_EQ(NumberOf(frame.payload), last + 1);
    last = NumberOf(frame.payload);
  }
  const Back back = Connect({.user = 1, .cursor = CursorAt(last)});
  EXPECT_EQ(back.welcome.at("gap"), "expired");
}

TEST_F(ResumeTest, BringsTheLastValueOfAState) {
  Open();
  for (int64_t at = 1; at <= 5; ++at) house().Emit(Latest(Target::User(1), at));
  const Back back = Connect({.user = 1, .cursor = CursorAt(0)});
  EXPECT_EQ(back.welcome.at("missed"), 1);
  EXPECT_THAT(NumbersOf(back.replayed), ElementsAre(5));
}

// A quiet session's pings carry the cursor past what was for others, so that it stays inside what
// is kept.
TEST_F(ResumeTest, CarriesTheCursorOfAQuietSession) {
  HouseOptions options;
  options.shards = 2;
  Open(options);
  const auto quiet = Client::Live(house(), {.user = 1}, 0);
  const auto busy = Client::Live(house(), {.user = 2}, 1);
  EmitTo(Target::User(2), 10);
  house().Pass(25'000);
  const std::vector<std::string> texts = quiet->Texts();
  EXPECT_THAT(texts,
              ElementsAre(absl::StrCat(R"({"event":"ping","cursor":")", CursorAt(10), R"("})")));
  // And it resumes from there without a gap.
  EmitTo(Target::User(1), 1);
  EXPECT_THAT(NumbersOf(Connect({.user = 1, .cursor = CursorAt(10)}).replayed), ElementsAre(11));
}

// A ping's cursor must not be ahead of what has been handed out.
TEST_F(ResumeTest, PingsWithNoNumberThatStillWaits) {
  Open();
  const auto client = Client::Live(house(), {.user = 1});
  for (int i = 0; i < 24; ++i) house().Pass(1000);
  EmitTo(Target::User(1), 1000);
  house().clock().Advance(1100);
  uint64_t last = 0;
  for (const std::string& text : client->Texts()) {
    if (StringIn(text, "event") == "ping") {
      EXPECT_EQ(NumberOf(text), last);
      continue;
    }
    EXPECT_EQ(NumberOf(text), last + 1);
    last = NumberOf(text);
  }
  EXPECT_EQ(last, 1000u);
}

// Connections come and go at random under traffic, some reading slowly, on two shards: whatever
// the moment, each user's numbers are complete, ascending and never twice.
TEST_F(ResumeTest, LosesNothingThroughRandomDisconnects) {
  HouseOptions options;
  options.shards = 2;
  options.shard.session.high_water = 64 * 1024;
  Open(options);
  struct Follower {
    UserId user;
    uint64_t seen = 0;
    std::vector<uint64_t> got;
    std::unique_ptr<Client> client;
  };
  std::vector<Follower> followers(6);
  for (size_t i = 0; i < followers.size(); ++i) followers[i].user = static_cast<UserId>(i % 4 + 1);
  std::vector<std::vector<uint64_t>> sent(5);
  std::mt19937 random(11);
  const std::string payload = "{\"x\":\"" + std::string(2000, 'x') + "\"}";

  const auto read = [&](Follower& follower, size_t bytes) {
    WsClient& wire = follower.client->wire();
    wire.Pump(bytes);
    ASSERT_FALSE(wire.faulty());
    for (; !wire.frames().empty(); wire.frames().pop_front()) {
      const WsClient::Frame& frame = wire.frames().front();
      if (frame.first != 0x81) continue;
      const std::string event = StringIn(frame.payload, "event");
      if (event == "welcome") {
        ASSERT_THAT(frame.payload, HasSubstr(R"("recovered":true)"));
      } else if (event == "test.durable") {
        const uint64_t number = NumberOf(frame.payload);
        ASSERT_GT(number, follower.seen);
        follower.got.push_back(number);
        follower.seen = number;
      }
    }
    if (wire.ended()) follower.client.reset();
  };
  for (int step = 0; step < 6000; ++step) {
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {
        const auto user = static_cast<UserId>(random() % 4 + 1);
        const bool all = random() % 5 == 0;
        const uint64_t number = house()
                                    .Emit(Durable(all ? Target::Everyone() : Target::User(user),
                                                  random() % 2 == 0 ? payload : "{}"))
                                    .sequence;
        for (size_t u = 1; u < sent.size(); ++u) {
          if (all || u == static_cast<size_t>(user)) sent[u].push_back(number);
        }
        break;
      }
      case 3: {
        Follower& follower = followers[random() % followers.size()];
        if (follower.client == nullptr) {
          follower.client = std::make_unique<Client>(
              house(), Login{.user = follower.user, .cursor = CursorAt(follower.seen)},
              static_cast<int>(random() % 2), random() % 3 == 0 ? 4096 : 0);
        } else if (random() % 4 == 0) {
          random() % 2 == 0 ? follower.client->wire().Hangup() : follower.client->wire().Reset();
          follower.client.reset();
        }
        break;
      }
      case 4:
        house().shard(static_cast<int>(random() % 2)).Turn();
        break;
      case 5:
        if (random() % 16 == 0) house().Pass(50);
        break;
      default: {
        Follower& follower = followers[random() % followers.size()];
        if (follower.client != nullptr) read(follower, 1 + random() % 20'000);
      }
    }
  }
  for (Follower& follower : followers) {
    const std::vector<uint64_t>& all = sent[static_cast<size_t>(follower.user)];
    for (int attempt = 0; attempt < 1000 && follower.got.size() < all.size(); ++attempt) {
      if (follower.client == nullptr) {
        follower.client = std::make_unique<Client>(
            house(), Login{.user = follower.user, .cursor = CursorAt(follower.seen)});
      }
      house().Settle();
      read(follower, SIZE_MAX);
    }
    EXPECT_EQ(follower.got, all);
  }
}

}  // namespace
}  // namespace msab::test
