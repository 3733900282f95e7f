#include "server/protocol/socketio_dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "tests/support/entries.h"

namespace msab::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = ClientMessage::Kind;

class SocketIoDialectTest : public ::testing::Test {
 protected:
  // The packet's text; what follows its digits must be JSON.
  static std::string Checked(const FramePtr& frame) {
    const std::string text(frame->text());
    const size_t json = std::min(text.find_first_of("{["), text.size());
    boost::system::error_code error;
    if (json < text.size()) boost::json::parse(text.substr(json), error);
    EXPECT_FALSE(error) << text;
    return text;
  }
  static std::vector<std::string> Checked(const Dialect::Frames& frames) {
    std::vector<std::string> texts;
    for (const FramePtr& frame : frames) texts.push_back(Checked(frame));
    return texts;
  }
  std::string EventText(const EntryPtr& entry) { return Checked(dialect_.Event(entry, "ep0ch")); }

  const SocketIoDialect dialect_{};
};

// What the relay says

TEST_F(SocketIoDialectTest, WritesAnEventWithItsCursorLast) {
  auto entry = Durable(Target::Room("42"), R"({"room_id":42})");
  entry->name = "room.level_up";
  entry->sequence = 18'446'744'073'709'551'615u;
  entry->occurred_at = 5;
  entry->occurred_at_given = true;
  EXPECT_EQ(EventText(entry), R"(42["room.level_up",{"room_id":42},"ep0ch-18446744073709551615"])");
}

TEST_F(SocketIoDialectTest, WritesNoCursorForAnEphemeralEvent) {
  auto entry = Ephemeral(Target::Room("42"));
  entry->name = "speaker:active";
  EXPECT_EQ(EventText(entry), R"(42["speaker:active",{}])");
}

TEST_F(SocketIoDialectTest, EscapesTheBackslashOfACustomName) {
  auto entry = Durable(Target::Everyone());
  entry->name = R"(App\Events\Paid)";
  entry->sequence = 1;
  EXPECT_EQ(EventText(entry), R"(42["App\\Events\\Paid",{},"ep0ch-1"])");
}

TEST_F(SocketIoDialectTest, LetsFramesOfEventsBeReplacedAndDropped) {
  auto latest = Latest(Target::User(1), 1);
  EXPECT_EQ(dialect_.Event(latest, "e")->latest(), latest.get());
  EXPECT_EQ(dialect_.Event(Ephemeral(Target::User(1)), "e")->kind(), Frame::Kind::kEphemeral);
}

TEST_F(SocketIoDialectTest, Opens) {
  EXPECT_EQ(Checked(dialect_.Open({"abc", 25'000, 16'384})),
            R"(0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,)"
            R"("maxPayload":16384})");
}

TEST_F(SocketIoDialectTest, AnswersConnectAndSaysAGapOfTheCursorGiven) {
  Welcome welcome;
  welcome.connection_id = "s";
  welcome.resume_id = "p";
  const std::string connected = R"(40{"sid":"s","pid":"p"})";
  EXPECT_THAT(Checked(dialect_.Hello(welcome)), ElementsAre(connected));
  welcome.recovered = Welcome::Recovered::kYes;
  EXPECT_THAT(Checked(dialect_.Hello(welcome)), ElementsAre(connected));
  welcome.recovered = Welcome::Recovered::kGapEpoch;
  EXPECT_THAT(Checked(dialect_.Hello(welcome)),
              ElementsAre(connected, R"(42["gap",{"gap":"epoch"}])"));
  welcome.recovered = Welcome::Recovered::kGapExpired;
  EXPECT_THAT(Checked(dialect_.Hello(welcome)),
              ElementsAre(connected, R"(42["gap",{"gap":"expired"}])"));
}

TEST_F(SocketIoDialectTest, HasNoFramesThatTheClientWouldTakeForEvents) {
  EXPECT_FALSE(dialect_.Live({"e", 1}));
  EXPECT_FALSE(dialect_.Ping({"e", 1}));
  EXPECT_EQ(dialect_.Heartbeat()->text(), "2");
}

TEST_F(SocketIoDialectTest, SetsSuccessBesideTheAnswersOwnMembers) {
  EXPECT_EQ(Checked(dialect_.Reply(0, "{}")), R"(430[{"success":true}])");
  EXPECT_EQ(Checked(dialect_.Reply(12, R"({"id":"x","n":{}})")),
            R"(4312[{"success":true,"id":"x","n":{}}])");
}

TEST_F(SocketIoDialectTest, SaysWhyACommandWasRefused) {
  EXPECT_EQ(Checked(dialect_.Reply(7, CommandError{"ROOM_FORBIDDEN", "room \"x\"\n", 0, {}})),
            R"(437[{"success":false,"error":"room \"x\"\n","code":"ROOM_FORBIDDEN"}])");
  EXPECT_EQ(Checked(dialect_.Reply(7, CommandError{"RATE_LIMITED", "m", 50, R"({"a":1})"})),
            R"(437[{"success":false,"error":"m","code":"RATE_LIMITED","retryAfter":50,)"
            R"("details":{"a":1}}])");
}

TEST_F(SocketIoDialectTest, SaysFarewellOnlyToWhoIsNotToComeBack) {
  EXPECT_THAT(Checked(dialect_.Farewell(1000, "")), IsEmpty());
  EXPECT_THAT(Checked(dialect_.Farewell(4499, "later")), IsEmpty());
  EXPECT_THAT(Checked(dialect_.Farewell(4500, "a \"b\"")),
              ElementsAre(R"(42["session:closed",{"code":4500,"reason":"a \"b\""}])", "41"));
}

// What clients say

TEST_F(SocketIoDialectTest, ReadsConnect) {
  const ClientMessage message = dialect_.Decode(
      R"(40{"token":"t","cursor":"e-1","pid":"p","offset":"e-2","more":{"x":[1]}})");
  ASSERT_EQ(message.kind, Kind::kConnect);
  EXPECT_EQ(message.credentials.token, "t");
  EXPECT_EQ(message.credentials.cursor, "e-1");
  EXPECT_EQ(message.credentials.resume_id, "p");
  EXPECT_EQ(message.credentials.offset, "e-2");
}

TEST_F(SocketIoDialectTest, ReadsConnectThatLacksAnything) {
  for (const char* text : {"40", "40/", "40/,", "40{}", R"(40{"token":null,"cursor":null,"pid":1})",
                           R"(40/,{"token":5,"offset":[]})"}) {
    const ClientMessage message = dialect_.Decode(text);
    ASSERT_EQ(message.kind, Kind::kConnect) << text;
    EXPECT_EQ(message.credentials.token, "") << text;
    EXPECT_EQ(message.credentials.cursor, std::nullopt) << text;
    EXPECT_EQ(message.credentials.resume_id, "") << text;
    EXPECT_EQ(message.credentials.offset, std::nullopt) << text;
  }
  EXPECT_EQ(dialect_.Decode(R"(40{"cursor":5})").credentials.cursor, "") << "a foreign one";
}

TEST_F(SocketIoDialectTest, ReadsEvents) {
  ClientMessage message = dialect_.Decode(R"(42["room:join",{"roomId":42},"more"])");
  EXPECT_EQ(message.kind, Kind::kCommand);
  EXPECT_EQ(message.event, "room:join");
  EXPECT_EQ(message.id, std::nullopt);
  EXPECT_EQ(boost::json::serialize(message.data), R"({"roomId":42})");

  message = dialect_.Decode(R"(42/,13["x"])");
  EXPECT_EQ(message.kind, Kind::kCommand);
  EXPECT_EQ(message.id, 13);
  EXPECT_TRUE(message.data.is_null());

  message = dialect_.Decode(R"(420[5,1])");
  EXPECT_EQ(message.kind, Kind::kCommand);
  EXPECT_EQ(message.event, "5");
  EXPECT_EQ(message.id, 0);
}

TEST_F(SocketIoDialectTest, ReadsHowManyAttachmentsFollow) {
  ClientMessage message = dialect_.Decode(R"(4512-7["x",{"_placeholder":true,"num":0}])");
  EXPECT_EQ(message.kind, Kind::kAttached);
  EXPECT_EQ(message.attachments, 12u);
  EXPECT_EQ(message.id, 7);
  message = dialect_.Decode("461-3[]");
  EXPECT_EQ(message.kind, Kind::kAttached);
  EXPECT_EQ(message.id, std::nullopt) << "an acknowledgement is not answered";
}

TEST_F(SocketIoDialectTest, ReadsWhatNeedsNoAnswer) {
  EXPECT_EQ(dialect_.Decode("3").kind, Kind::kPong);
  EXPECT_EQ(dialect_.Decode("3probe").kind, Kind::kPong);
  EXPECT_EQ(dialect_.Decode("6").kind, Kind::kIgnored);
  EXPECT_EQ(dialect_.Decode("1").kind, Kind::kHangUp);
  EXPECT_EQ(dialect_.Decode("41").kind, Kind::kGoodbye);
  EXPECT_EQ(dialect_.Decode("41/,").kind, Kind::kGoodbye);
  EXPECT_EQ(dialect_.Decode("431[]").kind, Kind::kIgnored);
  EXPECT_EQ(dialect_.Decode("41/other").kind, Kind::kIgnored);
}

TEST_F(SocketIoDialectTest, TurnsAwayOtherNamespaces) {
  for (const auto& [text, answer] : {
           std::pair{"40/admin", R"(44/admin,{"message":"Invalid namespace"})"},
           std::pair{"40/admin,{\"a\":1}", R"(44/admin,{"message":"Invalid namespace"})"},
           std::pair{"40/a?b=c,", R"(44/a?b=c,{"message":"Invalid namespace"})"},
       }) {
    const ClientMessage message = dialect_.Decode(text);
    ASSERT_EQ(message.kind, Kind::kAnswered) << text;
    EXPECT_EQ(Checked(message.answer), answer);
  }
}

TEST_F(SocketIoDialectTest, TakesNothingElse) {
  const std::string deep = absl::StrCat("42[\"x\",", std::string(5'000, '['));
  for (const std::string& text : {
           // Engine.IO
           std::string(),
           std::string("0{}"),
           std::string("2"),
           std::string("2probe"),
           std::string("5"),
           std::string("7"),
           std::string("abc"),
           std::string(" 42[\"x\"]"),
           std::string("\0", 1),
           // Socket.IO: types, namespaces, ids
           std::string("4"),
           std::string("4abc"),
           std::string("47"),
           std::string("44{}"),
           std::string("4 2[\"x\"]"),
           std::string("42/other,[\"x\"]"),
           std::string("44/other,{}"),
           std::string("42abc[\"x\"]"),
           std::string("42-1[\"x\"]"),
           std::string("42+1[\"x\"]"),
           std::string("429223372036854775808[\"x\"]"),
           std::string("421.5[\"x\"]"),
           // Payloads
           std::string("42"),
           std::string("4212"),
           std::string("42{}"),
           std::string("42[]"),
           std::string("42[\"x\""),
           std::string("42[\"x\"] "
                       "y"),
           std::string("42[null]"),
           std::string("42[{}]"),
           std::string("42[[\"x\"]]"),
           std::string("42\"x\""),
           std::string("40[]"),
           std::string("40null"),
           std::string("40{\"token\":"),
           std::string("40\"t\""),
           std::string("41{}"),
           std::string("41[]"),
           deep,
           // Attachments
           std::string("45"),
           std::string("45[\"x\"]"),
           std::string("450-[\"x\"]"),
           std::string("45-[\"x\"]"),
           std::string("45-1-[\"x\"]"),
           std::string("451[\"x\"]"),
           std::string("451.5-[\"x\"]"),
           std::string("4599999999999999999999-[\"x\"]"),
           std::string("451-{}"),
           std::string("451-[\"connect\"]"),
       }) {
    const ClientMessage message = dialect_.Decode(text);
    EXPECT_EQ(message.kind, Kind::kMalformed) << text;
    EXPECT_FALSE(message.fault.empty()) << text;
  }
}

TEST_F(SocketIoDialectTest, KeepsTheNamesThatSocketIoReserves) {
  for (const char* name : {"connect", "connect_error", "disconnect", "disconnecting", "newListener",
                           "removeListener"}) {
    EXPECT_EQ(dialect_.Decode(absl::StrCat("42[\"", name, "\"]")).kind, Kind::kMalformed) << name;
  }
  EXPECT_EQ(dialect_.Decode(R"(42["Connect"])").kind, Kind::kCommand);
}

}  // namespace
}  // namespace msab::test
