// Coming back with a cursor: exactly what was missed, or a gap that is said.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

std::string RoomEvent(int64_t room, int64_t number) {
  return absl::StrCat(R"({"room_level_up":{"room_id":)", room, R"(,"new_level":)", number,
                      R"(,"new_room_xp":"1"}})");
}

std::string Balance(int64_t user, const std::string& fields, const std::string& occurred_at = "") {
  return absl::StrCat(
      occurred_at.empty() ? "{" : absl::StrCat(R"({"occurred_at":")", occurred_at, "\","),
      R"("balance_updated":{"user_id":)", user, fields, "}}");
}

class ResumeTest : public RelayTest {
 protected:
  Client Resume(int64_t user, const std::string& cursor, std::vector<std::string> rooms = {}) {
    return Open({.token = UserToken(user), .cursor = cursor, .rooms = std::move(rooms)});
  }

  void ExpectRecovered(Client& client, size_t missed) {
    EXPECT_EQ(At(client.Welcome(), "recovered"), Json(true)) << client.Welcome();
    EXPECT_FALSE(Has(client.Welcome(), "gap"));
    EXPECT_EQ(Number(client.Welcome(), "missed"), static_cast<int64_t>(missed));
  }

  // A gap: said, with its reason, nothing replayed, and going on from the head.
  void ExpectGap(Client& client, const std::string& gap) {
    const uint64_t head = Sequence(door().GetCursor().cursor);
    EXPECT_EQ(At(client.Welcome(), "recovered"), Json(false)) << client.Welcome();
    EXPECT_EQ(Text(client.Welcome(), "gap"), gap);
    EXPECT_EQ(Number(client.Welcome(), "missed"), 0);
    EXPECT_TRUE(client.Replay().empty());
    EXPECT_LE(Sequence(client.cursor()), head);
    EXPECT_GE(Sequence(client.cursor()) + At(client.Welcome(), "rooms").as_array().size(), head)
        << "a join is an event, too";
  }
};

TEST_F(ResumeTest, BetweenTheCursorAndTheFirstConnectEverythingArrivesOnce) {
  Emit(Marker(101, 1));  // before the snapshot: part of it
  const std::string cursor = door().GetCursor().cursor;
  const Answer second = Emit(Marker(101, 2));
  Emit(Marker(102, 3));
  const Answer config = Emit(R"({"config_invalidate":{"type":"gifts"}})");
  Client client = Resume(101, cursor);
  ExpectRecovered(client, 2);
  EXPECT_EQ(client.cursor(), cursor);
  const std::vector<Json> missed = client.Replay();
  ASSERT_EQ(missed.size(), 2U);
  EXPECT_EQ(MarkerNumber(missed[0]), 2);
  EXPECT_EQ(Text(missed[0], "cursor"), second.cursor);
  EXPECT_EQ(missed[1], EventFrame("config:invalidate", R"({"type":"gifts"})", config.cursor));
  ExpectNothing({&client});
}

TEST_F(ResumeTest, NothingMissedIsLiveAtOnce) {
  const std::string cursor = door().GetCursor().cursor;
  Client client = Resume(101, cursor);
  ExpectRecovered(client, 0);
  EXPECT_TRUE(client.Replay().empty());
  Emit(Marker(101, 1));
  EXPECT_EQ(MarkerNumber(client.Next()), 1);
}

TEST_F(ResumeTest, WithoutACursorNothingIsReplayedAndTheVerdictIsNull) {
  Emit(Marker(101, 1));
  Client client = Open({.token = UserToken(101)});
  EXPECT_TRUE(Has(client.Welcome(), "recovered"));
  EXPECT_TRUE(At(client.Welcome(), "recovered").is_null());
  EXPECT_EQ(Number(client.Welcome(), "missed"), 0);
  EXPECT_TRUE(client.Replay().empty());
  EXPECT_EQ(client.cursor(), door().GetCursor().cursor);
}

TEST_F(ResumeTest, RoomsNamedComeBackWithWhatTheyMissed) {
  Client before = Connect(101, {"42"});
  const std::string cursor = door().GetCursor().cursor;
  before.socket().Drop();
  Emit(RoomEvent(42, 1));
  Emit(RoomEvent(43, 2));
  Emit(R"({"target":{"user_in_room":{"user_id":101,"room_id":"42"}},)"
       R"("agency_member_kicked":{"agency_id":1,"agency_name":"A"}})");
  Emit(R"({"target":{"user_in_room":{"user_id":102,"room_id":"42"}},)"
       R"("agency_member_kicked":{"agency_id":2,"agency_name":"B"}})");
  Client client = Resume(101, cursor, {"42"});
  ExpectRecovered(client, 2);
  EXPECT_EQ(At(client.Welcome(), "rooms"), ParseJson(R"(["42"])"));
  const std::vector<Json> missed = client.Replay();
  ASSERT_EQ(missed.size(), 2U);
  EXPECT_EQ(Text(missed[0], "event"), "room.level_up");
  EXPECT_EQ(Text(missed[0], "room"), "42");
  EXPECT_EQ(Number(At(missed[1], "data"), "agency_id"), 1);
  Emit(RoomEvent(42, 3));
  EXPECT_EQ(Number(At(client.Expect("room.level_up"), "data"), "new_level"), 3);
}

TEST_F(ResumeTest, OfStatesOnlyTheLastIsReplayedUnlessTheOlderHasMore) {
  const std::string cursor = door().GetCursor().cursor;
  Emit(Balance(101, R"(,"coins":"1")"));
  Emit(Balance(101, R"(,"diamonds":"1")"));
  Emit(Marker(101, 1));
  Emit(Balance(101, R"(,"coins":"2")"));
  Emit(Balance(102, R"(,"coins":"9","diamonds":"9")"));
  Client client = Resume(101, cursor);
  ExpectRecovered(client, 3);
  const std::vector<Json> missed = client.Replay();
  ASSERT_EQ(missed.size(), 3U);
  EXPECT_EQ(At(missed[0], "data"), ParseJson(R"({"user_id":101,"diamonds":"1"})"));
  EXPECT_EQ(MarkerNumber(missed[1]), 1);
  EXPECT_EQ(At(missed[2], "data"), ParseJson(R"({"user_id":101,"coins":"2"})"));
  EXPECT_LT(Sequence(Text(missed[1], "cursor")), Sequence(Text(missed[2], "cursor")));
}

TEST_F(ResumeTest, AStateThatHappenedEarlierIsSuperseded) {
  Client client = Connect(101);
  const std::string cursor = client.cursor();
  const Answer newer = Emit(Balance(101, R"(,"coins":"2")", "2026-01-01T00:00:02Z"));
  EXPECT_FALSE(newer.superseded);
  // Read at once: one that waits would be replaced.
  EXPECT_EQ(Text(At(client.Next(), "data"), "coins"), "2");
  const Answer older = Emit(Balance(101, R"(,"coins":"1")", "2026-01-01T00:00:01Z"));
  EXPECT_TRUE(older.superseded);
  const Answer tie = Emit(Balance(101, R"(,"coins":"3")", "2026-01-01T00:00:02Z"));
  EXPECT_FALSE(tie.superseded) << "a tie goes to the one accepted later";
  const Answer other_field = Emit(Balance(101, R"(,"charm_xp":"1")", "2026-01-01T00:00:01Z"));
  EXPECT_FALSE(other_field.superseded) << "nobody has said this field yet";
  const Received received = Fence({&client});
  ASSERT_EQ(received[0].size(), 2U);
  EXPECT_EQ(Text(At(received[0][0], "data"), "coins"), "3");
  EXPECT_EQ(Text(At(received[0][1], "data"), "charm_xp"), "1");

  Client again = Resume(101, cursor);
  const std::vector<Json> missed = again.Replay();
  ASSERT_EQ(missed.size(), 3U);  // coins 3, charm_xp 1, the fence
  EXPECT_EQ(Text(At(missed[0], "data"), "coins"), "3");
  EXPECT_EQ(Text(At(missed[1], "data"), "charm_xp"), "1");
}

TEST_F(ResumeTest, WhatIsNeverKeptIsNeverReplayed) {
  Client before = Connect(101, {"42"});
  const std::string cursor = before.cursor();
  Emit(R"({"speaker_active":{"roomId":"42","userId":"7","activeSpeakers":["7"],"timestamp":1}})");
  EXPECT_EQ(Text(before.Next(), "event"), "speaker:active");
  Client client = Resume(101, cursor, {"42"});
  EXPECT_EQ(At(client.Welcome(), "recovered"), Json(true));
  for (const Json& frame : client.Replay()) EXPECT_NE(Text(frame, "event"), "speaker:active");
}

TEST_F(ResumeTest, PastItsTtlAnEventIsLeftOutWithoutAGap) {
  const std::string cursor = door().GetCursor().cursor;
  // Accepted with two seconds to live, and waited for until that is over: an emit with the same
  // times says so itself.
  const std::string times =
      absl::StrCat(R"("occurred_at":")", Rfc3339(NowSeconds()), R"(","ttl":"2s",)");
  const std::string event = R"("target":{"user_id":101},)"
                            R"("agency_dissolved":{"agency_id":1,"agency_name":"A"}})";
  const Answer first = Emit(absl::StrCat("{", times, event));
  ASSERT_FALSE(first.expired);
  Emit(Marker(101, 1));
  ASSERT_TRUE(Await([&] {
    return Emit(absl::StrCat("{", times, R"("target":{"user_id":999},)",
                             R"("agency_dissolved":{"agency_id":1,"agency_name":"A"}})"))
        .expired;
  }));
  Client client = Resume(101, cursor);
  EXPECT_EQ(At(client.Welcome(), "recovered"), Json(true));
  const std::vector<Json> missed = client.Replay();
  ASSERT_EQ(missed.size(), 1U);
  EXPECT_EQ(MarkerNumber(missed[0]), 1);
}

class GapTest : public ResumeTest {
 protected:
  void SetUp() override {
    Start({.settings = {{"log.max_per_audience", "10"}, {"log.max_events", "200"}}});
  }
};

TEST_F(GapTest, IsSaidWhenTheUsersOwnEventsWereEvicted) {
  const std::string cursor = door().GetCursor().cursor;
  for (int i = 1; i <= 11; ++i) Emit(Marker(101, i));
  Client client = Resume(101, cursor);
  ExpectGap(client, "expired");
  Emit(Marker(101, 99));
  EXPECT_EQ(MarkerNumber(client.Next()), 99);
}

TEST_F(GapTest, EndsWhereTheKeptEventsBegin) {
  std::vector<std::string> cursors{door().GetCursor().cursor};
  for (int i = 1; i <= 12; ++i) cursors.push_back(Emit(Marker(101, i)).cursor);
  Client lost = Resume(101, cursors[1]);
  ExpectGap(lost, "expired");
  Client whole = Resume(101, cursors[2]);  // 3 … 12 are kept
  ExpectRecovered(whole, 10);
  EXPECT_EQ(MarkerNumber(whole.Replay().front()), 3);
}

TEST_F(GapTest, NoneForAQuietUserBesideABusyRoom) {
  const std::string cursor = door().GetCursor().cursor;
  Emit(Marker(102, 1));
  std::vector<std::string> busy;
  for (int i = 0; i < 900; ++i) busy.push_back(RoomEvent(42, i));
  for (const Answer& answer : door().EmitBatch(busy)) ASSERT_TRUE(answer.ok());
  // The busy room's own visitor has a gap; a user of whom nothing was dropped has none.
  Client visitor = Resume(101, cursor, {"42"});
  ExpectGap(visitor, "expired");
  Client quiet = Resume(101, cursor);
  ExpectRecovered(quiet, 0);
  Client with_rooms = Resume(103, cursor, {"quiet-room"});
  ExpectRecovered(with_rooms, 0);
}

TEST_F(GapTest, ACursorFromBeforeARestartIsOfAnotherEpoch) {
  Client before = Connect(101);
  Emit(Marker(101, 1));
  const std::string cursor = Text(before.Next(), "cursor");
  before.socket().Close();
  relay().Restart();
  Client client = Resume(101, cursor);
  ExpectGap(client, "epoch");
  EXPECT_NE(cursor.substr(0, cursor.find('-')),
            client.cursor().substr(0, client.cursor().find('-')));
}

TEST_F(GapTest, AFutureOrMalformedOrForeignCursorIsAGapNotAnError) {
  const std::string head = door().GetCursor().cursor;
  const std::string epoch = head.substr(0, head.find('-'));
  for (const std::string& cursor :
       {absl::StrCat(epoch, "-", Sequence(head) + 1),
        absl::StrCat(epoch, "-99999999999999999999999"), absl::StrCat(epoch, "-"),
        absl::StrCat(epoch, "-1x"), absl::StrCat(epoch, "--1"), absl::StrCat("x", epoch, "-0"),
        std::string("zzzz-0"), std::string("-"), std::string("17"), std::string("ABC-1"),
        std::string("a b-1"), std::string(5'000, '7')}) {
    SCOPED_TRACE(cursor.substr(0, 60));
    Client client = Resume(101, cursor);
    ExpectGap(client, "epoch");
  }
}

TEST_F(GapTest, AfterAGapARoomNamedIsJoinedAllTheSame) {
  const std::string cursor = door().GetCursor().cursor;
  for (int i = 0; i < 20; ++i) Emit(RoomEvent(42, i));
  Client client = Resume(101, cursor, {"42"});
  ExpectGap(client, "expired");
  EXPECT_EQ(At(client.Welcome(), "rooms"), ParseJson(R"(["42"])"));
  Emit(RoomEvent(42, 77));
  EXPECT_EQ(Number(At(client.Expect("room.level_up"), "data"), "new_level"), 77);
}

}  // namespace
}  // namespace msab::e2e
