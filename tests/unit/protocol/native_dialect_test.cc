#include "server/protocol/native_dialect.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "tests/support/entries.h"

namespace msab::test {
namespace {

class NativeDialectTest : public ::testing::Test {
 protected:
  // The entry's frame as text; every text of the dialect must be JSON.
  std::string EventText(const EntryPtr& entry) { return Checked(dialect_.Event(entry, "ep0ch")); }

  static std::string Checked(const FramePtr& frame) {
    boost::system::error_code error;
    const std::string text(frame->text());
    boost::json::parse(text, error);
    EXPECT_FALSE(error) << text;
    return text;
  }

  const NativeDialect dialect_{};
};

// Events

TEST_F(NativeDialectTest, WritesAPrivateEvent) {
  auto entry = Durable(Target::User(42), R"({"user_id":42})");
  entry->name = "balance.updated";
  entry->sequence = 7;
  EXPECT_EQ(EventText(entry),
            R"({"event":"balance.updated","data":{"user_id":42},"cursor":"ep0ch-7"})");
}

TEST_F(NativeDialectTest, WritesTheRoomOfARoomEvent) {
  auto entry = Durable(Target::Room("42"), R"({"room_id":42})");
  entry->name = "room.level_up";
  entry->sequence = 8;
  EXPECT_EQ(EventText(entry),
            R"({"event":"room.level_up","data":{"room_id":42},"room":"42","cursor":"ep0ch-8"})");
}

TEST_F(NativeDialectTest, WritesTheRoomOfAnEventForOneUserInIt) {
  auto entry = Durable(Target::UserInRoom(3, "r:1.a_b-c"));
  entry->name = "x";
  entry->sequence = 9;
  EXPECT_EQ(EventText(entry), R"({"event":"x","data":{},"room":"r:1.a_b-c","cursor":"ep0ch-9"})");
}

TEST_F(NativeDialectTest, WritesOccurredAtOnlyWhereTheEmitterGaveIt) {
  auto entry = Durable(Target::Everyone());
  entry->name = "x";
  entry->sequence = std::numeric_limits<uint64_t>::max();
  entry->occurred_at = 1'767'225'600'123;
  EXPECT_EQ(EventText(entry), R"({"event":"x","data":{},"cursor":"ep0ch-18446744073709551615"})");
  entry->occurred_at_given = true;
  EXPECT_EQ(
      EventText(entry),
      R"({"event":"x","data":{},"cursor":"ep0ch-18446744073709551615","occurredAt":1767225600123})");
  entry->occurred_at = std::numeric_limits<int64_t>::min();
  EXPECT_NE(EventText(entry).find(R"("occurredAt":-9223372036854775808})"), std::string::npos);
}

TEST_F(NativeDialectTest, WritesNoCursorForAnEphemeralEvent) {
  auto entry = Ephemeral(Target::Room("42"));
  entry->name = "speaker:active";
  EXPECT_EQ(EventText(entry), R"({"event":"speaker:active","data":{},"room":"42"})");
}

TEST_F(NativeDialectTest, EscapesTheBackslashOfACustomName) {
  auto entry = Durable(Target::Everyone());
  entry->name = R"(App\Events\Paid)";
  entry->sequence = 1;
  EXPECT_EQ(EventText(entry), R"({"event":"App\\Events\\Paid","data":{},"cursor":"ep0ch-1"})");
}

// Welcome, live, ping

TEST_F(NativeDialectTest, WelcomesWithoutACursor) {
  Welcome welcome;
  welcome.connection_id = "c-1";
  welcome.user = 9007199254740991;
  welcome.cursor = {"ep0ch", 12};
  welcome.ping_interval = 25'000;
  welcome.token_expires_at = 1'767'225'600'000;
  EXPECT_EQ(Checked(dialect_.Hello(welcome).front()),
            R"({"event":"welcome","data":{"connectionId":"c-1","userId":9007199254740991,)"
            R"("cursor":"ep0ch-12","recovered":null,"missed":0,"rooms":[],"pingInterval":25000,)"
            R"("tokenExpiresAt":1767225600000}})");
}

TEST_F(NativeDialectTest, WelcomesBackWithWhatWasMissed) {
  Welcome welcome;
  welcome.connection_id = "c-1";
  welcome.user = 1;
  welcome.cursor = {"ep0ch", 12};
  welcome.recovered = Welcome::Recovered::kYes;
  welcome.missed = 3;
  welcome.rooms = {"42", "lobby"};
  welcome.ping_interval = 1;
  welcome.token_expires_at = 2;
  EXPECT_EQ(Checked(dialect_.Hello(welcome).front()),
            R"({"event":"welcome","data":{"connectionId":"c-1","userId":1,"cursor":"ep0ch-12",)"
            R"("recovered":true,"missed":3,"rooms":["42","lobby"],"pingInterval":1,)"
            R"("tokenExpiresAt":2}})");
}

TEST_F(NativeDialectTest, SaysWhichGap) {
  Welcome welcome;
  welcome.recovered = Welcome::Recovered::kGapEpoch;
  EXPECT_NE(Checked(dialect_.Hello(welcome).front()).find(R"("recovered":false,"gap":"epoch",)"),
            std::string::npos);
  welcome.recovered = Welcome::Recovered::kGapExpired;
  EXPECT_NE(Checked(dialect_.Hello(welcome).front()).find(R"("recovered":false,"gap":"expired",)"),
            std::string::npos);
}

TEST_F(NativeDialectTest, SaysLiveAndPingWithTheCursor) {
  EXPECT_EQ(Checked(dialect_.Live({"ep0ch", 0})), R"({"event":"live","cursor":"ep0ch-0"})");
  EXPECT_EQ(Checked(dialect_.Ping({"ep0ch", 99})), R"({"event":"ping","cursor":"ep0ch-99"})");
}

// Replies

TEST_F(NativeDialectTest, RepliesWithData) {
  EXPECT_EQ(Checked(dialect_.Reply(7, R"({"a":1})")), R"({"reply":7,"ok":true,"data":{"a":1}})");
  EXPECT_EQ(Checked(dialect_.Reply(std::numeric_limits<int64_t>::min(), "{}")),
            R"({"reply":-9223372036854775808,"ok":true,"data":{}})");
}

TEST_F(NativeDialectTest, RepliesWithAnError) {
  EXPECT_EQ(Checked(dialect_.Reply(7, CommandError{"NOT_IN_ROOM", "join first", 0, {}})),
            R"({"reply":7,"ok":false,"error":{"code":"NOT_IN_ROOM","message":"join first"}})");
  EXPECT_EQ(Checked(dialect_.Reply(7, CommandError{"RATE_LIMITED", "slow down", 1500, {}})),
            R"({"reply":7,"ok":false,"error":{"code":"RATE_LIMITED","message":"slow down",)"
            R"("retryAfter":1500}})");
  EXPECT_EQ(Checked(dialect_.Reply(7, CommandError{"REJECTED", "no", 20, R"({"code":"POOR"})"})),
            R"({"reply":7,"ok":false,"error":{"code":"REJECTED","message":"no","retryAfter":20,)"
            R"("details":{"code":"POOR"}}})");
}

// A message may quote what a client sent.
TEST_F(NativeDialectTest, EscapesAnErrorsMessage) {
  EXPECT_EQ(Checked(dialect_.Reply(1, CommandError{"INTERNAL", "a\"b\\c\n\x01", 0, {}})),
            R"({"reply":1,"ok":false,"error":{"code":"INTERNAL","message":"a\"b\\c\n\u0001"}})");
}

// What a client says

TEST_F(NativeDialectTest, ReadsACommand) {
  const ClientMessage message =
      dialect_.Decode(R"({"id":7,"event":"room:join","data":{"roomId":"42"},"more":[1]})");
  ASSERT_EQ(message.kind, ClientMessage::Kind::kCommand);
  EXPECT_EQ(message.id, 7);
  EXPECT_EQ(message.event, "room:join");
  EXPECT_EQ(boost::json::serialize(message.data), R"({"roomId":"42"})");
}

TEST_F(NativeDialectTest, ReadsACommandWithoutIdAndData) {
  const ClientMessage message = dialect_.Decode(R"( {"event":"ping"} )");
  ASSERT_EQ(message.kind, ClientMessage::Kind::kCommand);
  EXPECT_EQ(message.id, std::nullopt);
  EXPECT_TRUE(message.data.is_null());
}

TEST_F(NativeDialectTest, ReadsEveryIntegerAsAnId) {
  EXPECT_EQ(dialect_.Decode(R"({"id":0,"event":"e"})").id, 0);
  EXPECT_EQ(dialect_.Decode(R"({"id":-9223372036854775808,"event":"e"})").id,
            std::numeric_limits<int64_t>::min());
  EXPECT_EQ(dialect_.Decode(R"({"id":9223372036854775807,"event":"e"})").id,
            std::numeric_limits<int64_t>::max());
}

// Unfit `data` is the command's affair, not a fault of the protocol.
TEST_F(NativeDialectTest, LeavesDataOfAnyKindToTheCommand) {
  for (const char* data : {"1", "null", "[]", "\"x\"", "true", "1.5"}) {
    const ClientMessage message =
        dialect_.Decode(R"({"event":"e","data":)" + std::string(data) + "}");
    ASSERT_EQ(message.kind, ClientMessage::Kind::kCommand) << data;
    EXPECT_EQ(boost::json::serialize(message.data),
              boost::json::serialize(boost::json::parse(data)));
  }
}

TEST_F(NativeDialectTest, FindsWhatIsNotOfTheDialect) {
  const std::string deep(200, '[');
  for (const std::string& text :
       std::initializer_list<std::string>{"",
                                          " ",
                                          "x",
                                          "{",
                                          "{}",
                                          "[]",
                                          "null",
                                          "1",
                                          "\"event\"",
                                          "{\"event\":\"e\"} x",
                                          "{\"event\":\"e\",}",
                                          "{'event':'e'}",
                                          "{\"event\":null}",
                                          "{\"event\":1}",
                                          "{\"event\":[\"e\"]}",
                                          "{\"Event\":\"e\"}",
                                          "{\"event\":\"e\",\"id\":null}",
                                          "{\"event\":\"e\",\"id\":\"1\"}",
                                          "{\"event\":\"e\",\"id\":1.5}",
                                          "{\"event\":\"e\",\"id\":true}",
                                          "{\"event\":\"e\",\"id\":9223372036854775808}",
                                          "{\"event\":\"e\",\"data\":" + deep + "}",
                                          "{\"event\":\"\xff\"}",
                                          std::string("{\"event\":\"e\"}\0", 14),
                                          "{\"event\":\"\\ud800\"}"}) {
    const ClientMessage message = dialect_.Decode(text);
    EXPECT_EQ(message.kind, ClientMessage::Kind::kMalformed) << text;
    EXPECT_FALSE(message.fault.empty()) << text;
    // It becomes the reason of a close frame (RFC 6455 §5.5: 125 bytes with the code).
    EXPECT_LE(message.fault.size(), 123u) << text;
  }
}

}  // namespace
}  // namespace msab::test
