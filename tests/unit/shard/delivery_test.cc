// Who gets what, in which order, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/asio/post.hpp"
#include "boost/json/parse.hpp"
#include "server/contract/cursor.h"
#include "tests/unit/shard/harness.h"

namespace msab::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

HouseOptions TwoShards() {
  HouseOptions options;
  options.shards = 2;
  return options;
}

TEST(Delivery, WakesOnlyTheShardsThatHoldTheUser) {
  TestHouse house(TwoShards());
  const auto one = Client::Live(house, {.user = 1}, 0);
  const auto two = Client::Live(house, {.user = 2}, 1);
  house.Settle();

  const Dispatched dispatched = house.Emit(Durable(Target::User(2), R"({"a":1})"));
  EXPECT_EQ(dispatched.recipients.connections, 1u);
  EXPECT_EQ(house.shard(0).inbox().size(), 0u);
  EXPECT_EQ(house.shard(1).inbox().size(), 1u);
  EXPECT_THAT(two->Texts(),
              ElementsAre(absl::StrCat(R"({"event":"test.durable","data":{"a":1},"cursor":")",
                                       house.log().epoch(), R"(-1"})")));
  EXPECT_THAT(one->Texts(), IsEmpty());
  EXPECT_EQ(house.shard(1).inbox().size(), 0u);
}

TEST(Delivery, ReachesEveryConnectionOfAUserOnAllShards) {
  TestHouse house(TwoShards());
  const auto a = Client::Live(house, {.user = 1}, 0);
  const auto b = Client::Live(house, {.user = 1}, 0);
  const auto c = Client::Live(house, {.user = 1}, 1);
  EXPECT_EQ(house.Emit(Durable(Target::User(1))).recipients.connections, 3u);
  for (Client* client : {a.get(), b.get(), c.get()}) {
    EXPECT_THAT(NumbersOf(client->Texts()), ElementsAre(1));
  }
}

TEST(Delivery, ReachesARoomAcrossShardsAndNobodyElse) {
  TestHouse house(TwoShards());
  const auto in_0 = Client::Live(house, {.user = 1, .rooms = "42"}, 0);
  const auto in_1 = Client::Live(house, {.user = 2, .rooms = "42,43"}, 1);
  const auto out = Client::Live(house, {.user = 3, .rooms = "43"}, 1);
  in_0->Texts();  // the others' coming
  in_1->Texts();

  house.Emit(Durable(Target::Room("42")));
  EXPECT_THAT(in_0->Texts(), ElementsAre(HasSubstr(R"("room":"42")")));
  EXPECT_THAT(in_1->Texts(), ElementsAre(HasSubstr(R"("room":"42")")));
  EXPECT_THAT(out->Texts(), IsEmpty());
}

TEST(Delivery, ReachesEveryoneThroughAllShards) {
  TestHouse house(TwoShards());
  const auto one = Client::Live(house, {.user = 1}, 0);
  const auto two = Client::Live(house, {.user = 2}, 1);
  EXPECT_EQ(house.Emit(Durable(Target::Everyone())).recipients.users_online, 2u);
  EXPECT_THAT(one->Texts(), SizeIs(1));
  EXPECT_THAT(two->Texts(), SizeIs(1));
}

TEST(Delivery, ReachesAUserOnlyWhereHisConnectionIsInTheRoom) {
  TestHouse house(TwoShards());
  const auto inside = Client::Live(house, {.user = 1, .rooms = "42"}, 0);
  const auto elsewhere = Client::Live(house, {.user = 1, .rooms = "43"}, 1);
  const auto other = Client::Live(house, {.user = 2, .rooms = "42"}, 1);
  inside->Texts();
  house.Emit(Durable(Target::UserInRoom(1, "42")));
  EXPECT_THAT(inside->Texts(), SizeIs(1));
  EXPECT_THAT(elsewhere->Texts(), IsEmpty());
  EXPECT_THAT(other->Texts(), IsEmpty());
}

TEST(Delivery, LeavesOutWhoIsExcepted) {
  TestHouse house(TwoShards());
  const auto sender = Client::Live(house, {.user = 1}, 0);
  const auto tab = Client::Live(house, {.user = 1}, 1);
  const auto other = Client::Live(house, {.user = 2}, 1);

  auto event = Durable(Target::Everyone());
  event->except_connection = sender->connection_id();
  EXPECT_EQ(house.Emit(event).recipients.connections, 2u);
  EXPECT_THAT(sender->Texts(), IsEmpty());
  EXPECT_THAT(tab->Texts(), SizeIs(1));
  EXPECT_THAT(other->Texts(), SizeIs(1));

  event = Durable(Target::Everyone());
  event->except_user = 1;
  house.Emit(event);
  EXPECT_THAT(sender->Texts(), IsEmpty());
  EXPECT_THAT(tab->Texts(), IsEmpty());
  EXPECT_THAT(other->Texts(), SizeIs(1));
}

TEST(Delivery, SkipsUsersForWhomAStateHadBeenReplaced) {
  TestHouse house;
  const auto one = Client::Live(house, {.user = 1});
  const auto two = Client::Live(house, {.user = 2});
  const auto three = Client::Live(house, {.user = 3});
  house.Emit(Latest(Target::User(2), 100));
  EXPECT_THAT(two->Texts(), SizeIs(1));

  // For user 2 the older one comes too late.
  EXPECT_EQ(house.Emit(Latest(Target::Users({3, 2, 1}), 50)).recipients.connections, 2u);
  EXPECT_THAT(one->Texts(), SizeIs(1));
  EXPECT_THAT(two->Texts(), IsEmpty());
  EXPECT_THAT(three->Texts(), SizeIs(1));
}

TEST(Delivery, LeavesOutWhatExpiredOnTheWay) {
  TestHouse house;
  const auto client = Client::Live(house);
  auto event = Durable(Target::User(1));
  event->expires_at = house.clock().WallMillis() + 10;
  house.Emit(event);
  house.clock().Advance(10);
  EXPECT_THAT(client->Texts(), IsEmpty());
  EXPECT_EQ(house.counters().expired.Value(), 1);
}

TEST(Delivery, TellsTheOthersOfAnEntranceAndTheJoiningClientWhoIsThere) {
  TestHouse house(TwoShards());
  const auto first = Client::Live(house, {.user = 1}, 0);
  const auto second = Client::Live(house, {.user = 2}, 1);
  first->Ask("room:join", R"({"roomId":"42"})");
  first->Texts();

  const std::string answer = second->Ask("room:join", R"({"roomId":42})");
  EXPECT_THAT(answer, HasSubstr(R"("ok":true)"));
  EXPECT_THAT(answer, HasSubstr(R"("id":1)"));
  EXPECT_THAT(answer, HasSubstr(R"("id":2)"));
  EXPECT_THAT(second->Texts(), IsEmpty());
  EXPECT_THAT(first->Texts(), ElementsAre(HasSubstr("room:userJoined")));
}

// Everything numbered up to a join's cursor is in its snapshot, everything later follows its
// answer: the answer stands at its place among the entries, though they wait in the same inbox.
TEST(Delivery, PutsAJoinsAnswerAtItsPlaceInTheOrder) {
  TestHouse house(TwoShards());
  const auto client = Client::Live(house, {.user = 1}, 0);
  client->wire().SendText(R"({"id":1,"event":"room:join","data":{"roomId":"42"}})");
  // Before, beside and after the turn in which the shard reads the command.
  for (int i = 0; i < 300; ++i) {
    house.Emit(Durable(Target::Room("42")));
    house.Emit(Durable(Target::User(1)));
    if (i % 7 == 0) house.shard(0).Turn();
  }
  const std::vector<std::string> texts = client->Texts();
  uint64_t joined_at = 0;
  std::vector<uint64_t> of_room;
  uint64_t last = 0;
  for (const std::string& text : texts) {
    if (StringIn(text, "event").empty()) {
      const auto answer = boost::json::parse(text).as_object();
      const std::string cursor(answer.at("data").as_object().at("cursor").as_string());
      joined_at = Cursor::Parse(cursor)->sequence;
      EXPECT_TRUE(of_room.empty()) << "an event of the room before the join's answer";
      EXPECT_LE(last, joined_at);
      continue;
    }
    EXPECT_GT(NumberOf(text), last);
    last = NumberOf(text);
    if (!StringIn(text, "room").empty()) of_room.push_back(last);
  }
  // The room's are the odd ones (1, 3, …; one more for the join's own room:userJoined).
  ASSERT_FALSE(of_room.empty());
  EXPECT_GT(of_room.front(), joined_at);
  EXPECT_LE(of_room.front(), joined_at + 3);
  EXPECT_EQ(texts.size(), 300 + of_room.size() + 1);
}

TEST(Delivery, AnswersTheSenderBeforeHisOwnCopy) {
  TestHouse house(TwoShards());
  const auto sender = Client::Live(house, {.user = 1, .rooms = "42"}, 0);
  const auto other = Client::Live(house, {.user = 2, .rooms = "42"}, 1);
  sender->Texts();
  sender->wire().SendText(
      R"({"id":5,"event":"chat:message","data":{"roomId":"42","content":"hi"}})");
  const std::vector<std::string> texts = sender->Texts();
  ASSERT_THAT(texts, SizeIs(2));
  EXPECT_THAT(texts[0], HasSubstr(R"({"reply":5,"ok":true)"));
  EXPECT_THAT(texts[1], HasSubstr("chat:message"));
  EXPECT_THAT(other->Texts(), ElementsAre(HasSubstr("chat:message")));
}

TEST(Delivery, StopsWhenTheClientLeavesTheRoom) {
  TestHouse house;
  const auto client = Client::Live(house, {.user = 1, .rooms = "42,43"});
  EXPECT_THAT(client->Ask("room:leave", R"({"roomId":"42"})"), HasSubstr(R"("ok":true)"));
  house.Emit(Durable(Target::Room("42")));
  house.Emit(Durable(Target::Room("43")));
  EXPECT_THAT(client->Texts(), ElementsAre(HasSubstr(R"("room":"43")")));
}

TEST(Delivery, GoesOnForTheRestWhenAConnectionIsLost) {
  TestHouse house;
  const auto stays = Client::Live(house, {.user = 1, .rooms = "42"});
  auto goes = Client::Live(house, {.user = 1, .rooms = "42"});
  auto resets = Client::Live(house, {.user = 2, .rooms = "42"});
  stays->Texts();
  goes->wire().Hangup();
  resets->wire().Reset();
  house.Until([&] { return house.counters().sessions.Value() == 1; }, "the end of two");
  EXPECT_EQ(house.Emit(Durable(Target::Room("42"))).recipients.connections, 1u);
  EXPECT_THAT(stays->Texts(), SizeIs(1));
  EXPECT_EQ(house.counters().connections.Value(), 1);
  EXPECT_EQ(house.limits().connections(), 1u);
}

// What a turn puts out is bounded by what the socket takes, not by the high-water mark: a client
// that reads is not slow because many events came at once.
TEST(Delivery, SpareAReaderWhoKeepsUp) {
  HouseOptions options;
  options.shard.session.high_water = 256 * 1024;
  TestHouse house(options);
  const auto client = Client::Live(house);
  const std::string payload = "{\"x\":\"" + std::string(1000, 'x') + "\"}";
  // As much as one hand-over of the inbox holds, several times the mark in all.
  std::vector<std::string> texts;
  for (int i = 0; i < 1500; ++i) house.Emit(Durable(Target::User(1), payload));
  while (texts.size() < 1500) {
    std::string text = client->Next();
    ASSERT_FALSE(text.empty()) << texts.size();
    texts.push_back(std::move(text));
  }
  EXPECT_EQ(NumberOf(texts.back()), 1500u);
}

// One turn hands out a part of a long inbox and writes before it goes on.
TEST(Delivery, WritesBetweenThePartsOfALongInbox) {
  TestHouse house;
  const auto client = Client::Live(house);
  const int64_t writes = house.counters().writes.Value();
  for (int i = 0; i < 2000; ++i) house.Emit(Durable(Target::User(1)));
  house.Turn();
  EXPECT_LE(house.counters().entries.Value(), 200);
  EXPECT_GT(house.counters().writes.Value(), writes);
  EXPECT_EQ(client->Texts().size(), 2000u);
}

// One more entry comes while the shard is at a part of its inbox that doesn't end in this turn: no
// tick of the clock is needed for it to be found.
TEST(Delivery, ComesToTheEndOfAnInboxThatIsFilledMeanwhile) {
  TestHouse house;
  const auto client = Client::Live(house);
  for (int more = 0; more < 70; ++more) {
    for (int i = 0; i < 60 + more; ++i) house.Emit(Durable(Target::User(1)));
    net::post(house.shard().io(), [&house] { house.Emit(Durable(Target::User(1))); });
    house.Settle();
    ASSERT_EQ(house.shard().inbox().size(), 0u) << more;
  }
}

TEST(Delivery, CountsWhatItWrites) {
  TestHouse house;
  const auto client = Client::Live(house);
  for (int i = 0; i < 500; ++i) house.Emit(Durable(Target::User(1), R"({"a":"0123456789"})"));
  client->Texts();
  EXPECT_EQ(house.counters().bytes_written.Value(),
            static_cast<int64_t>(client->wire().received()));
  // Gathered: far fewer system calls than frames.
  EXPECT_LT(house.counters().writes.Value(), 100);
}

}  // namespace
}  // namespace msab::test
