// What a session does where its dialect is Socket.IO: the rest is as in session_test.cc. How it
// goes on over another connection: socketio_recovery_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/entries.h"
#include "tests/unit/session/socketio_session_fixture.h"

namespace msab::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// The way in

TEST_F(SocketIoSessionTest, OpensAtTheUpgradeAndAnswersConnect) {
  session().Open(socketio_, {});
  const auto open = Texts();
  ASSERT_THAT(open, SizeIs(1));
  EXPECT_THAT(open[0], HasSubstr(R"("upgrades":[],"pingInterval":25000,"pingTimeout":20000,)"
                                 R"("maxPayload":16384})"));
  EXPECT_FALSE(transport_->authenticated);
  Connect();
  EXPECT_TRUE(transport_->authenticated);
  Welcomed();
  EXPECT_EQ(sid_, host_.admitted[0].id);
  EXPECT_EQ(sid_.size(), 15u);
  EXPECT_EQ(pid_.size(), 15u);
  EXPECT_NE(sid_, pid_);
  EXPECT_THAT(open[0], Not(HasSubstr(sid_)));
}

TEST_F(SocketIoSessionTest, RefusesByConnectError) {
  const struct {
    std::string connect;
    const char* answer;
    int code;
  } kCases[] = {
      {"40", R"(44{"message":"Authentication required","data":{"code":"UNAUTHENTICATED"}})", 4500},
      {R"(40{"token":5})",
       R"(44{"message":"Authentication required","data":{"code":"UNAUTHENTICATED"}})", 4500},
      {R"(40{"token":"x"})",
       R"(44{"message":"Invalid credentials","data":{"code":"UNAUTHENTICATED"}})", 4500},
      {absl::StrCat(R"(40{"token":")", Token(1, -1), "\"}"),
       R"(44{"message":"Token expired","data":{"code":"TOKEN_EXPIRED"}})", 4001},
  };
  for (const auto& one : kCases) {
    Accept();
    Upgrade();
    Say(one.connect);
    EXPECT_THAT(Texts(), ElementsAre(one.answer));
    EXPECT_EQ(transport_->close_code, one.code);
  }
}

// What an application may give as `auth` by mistake: the client would try for ever if it were only
// sent away.
TEST_F(SocketIoSessionTest, EndsTheRetriesOfWhoseAuthIsNoObject) {
  for (const char* connect : {"40[]", "40null", R"(40"token")", "40true", "40[{}]"}) {
    Accept();
    Upgrade();
    Say(connect);
    EXPECT_THAT(
        Texts(),
        ElementsAre(R"(44{"message":"Authentication required","data":{"code":"UNAUTHENTICATED"}})"))
        << connect;
    EXPECT_EQ(transport_->close_code, 4502) << connect;
  }
  Accept();
  Enter();
  Say("40[]");
  EXPECT_THAT(Texts(), ElementsAre(HasSubstr("session:closed"), "41")) << "it is in already";
}

TEST_F(SocketIoSessionTest, RefusesAForeignOriginOnceItConnects) {
  Upgrade(false);
  EXPECT_FALSE(transport_->close_code);
  Connect();
  EXPECT_THAT(
      Texts(),
      ElementsAre(R"(44{"message":"Origin not allowed","data":{"code":"ORIGIN_FORBIDDEN"}})"));
  EXPECT_EQ(transport_->close_code, 4503);
  EXPECT_THAT(host_.admitted, IsEmpty());
}

TEST_F(SocketIoSessionTest, WaitsForConnectFor45Seconds) {
  Upgrade();
  host_.Pass(44'900);
  EXPECT_FALSE(transport_->close_code);
  EXPECT_THAT(Texts(), ElementsAre("2")) << "a heartbeat, whoever it may be";
  host_.Pass(200);
  EXPECT_EQ(transport_->close_code, 4500);
  EXPECT_THAT(Texts(), IsEmpty()) << "no packet before the close";
}

TEST_F(SocketIoSessionTest, IgnoresARepeatedConnect) {
  Enter();
  Connect();
  EXPECT_THAT(Texts(), IsEmpty());
  EXPECT_FALSE(transport_->close_code);
  EXPECT_THAT(host_.admitted, SizeIs(1));
}

TEST_F(SocketIoSessionTest, ClosesWhoSendsEventsBeforeConnect) {
  Upgrade();
  Say(R"(42["room:join",{}])");
  EXPECT_EQ(transport_->close_code, 4502);
  EXPECT_THAT(Texts(), IsEmpty());
}

TEST_F(SocketIoSessionTest, TurnsAwayOtherNamespacesAndStaysOpen) {
  Upgrade();
  Say("40/admin,{}");
  EXPECT_THAT(Texts(), ElementsAre(R"(44/admin,{"message":"Invalid namespace"})"));
  Connect();
  Welcomed();
  Say("41/admin,");
  EXPECT_FALSE(transport_->close_code);
}

TEST_F(SocketIoSessionTest, AnswersNoFloodOfNamespaces) {
  host_.settings.client_messages = Rate::PerSecond(3, 2);
  Upgrade();
  for (int i = 0; i < 100; ++i) Say("40/admin");
  EXPECT_THAT(Texts(), SizeIs(3));
  EXPECT_EQ(host_.counted.rate_limited.Value(), 97);
  EXPECT_FALSE(transport_->close_code);
}

TEST_F(SocketIoSessionTest, ClosesForTheTooManyWithoutAPacket) {
  host_.admission = absl::ResourceExhaustedError("too many");
  Upgrade();
  Connect();
  EXPECT_EQ(transport_->close_code, 4004);
  EXPECT_THAT(Texts(), IsEmpty());
}

// Events and commands

TEST_F(SocketIoSessionTest, BringsEventsWithTheirCursor) {
  Enter();
  host_.Accept(Durable(Target::User(1), R"({"n":1})"));
  host_.Accept(Ephemeral(Target::Everyone()));
  EXPECT_THAT(Texts(),
              ElementsAre(R"(42["test.durable",{"n":1},"e-1"])", R"(42["test.ephemeral",{}])"));
}

TEST_F(SocketIoSessionTest, AnswersEveryPacketWithAnAckIdAndNoOther) {
  Enter();
  Say(R"(42["room:join",{"roomId":1}])");
  Say(R"(427["room:join",{"roomId":1}])");
  Say(R"(428["auth",{}])");
  EXPECT_THAT(Texts(), ElementsAre(R"(437[{"success":true,"did":"room:join"}])",
                                   R"(438[{"success":false,"error":"invalid payload: token",)"
                                   R"("code":"INVALID_PAYLOAD","details":[{"field":"token",)"
                                   R"("description":"is required"}]}])"));
}

TEST_F(SocketIoSessionTest, TakesTheAttachmentsOfABinaryEventAndStays) {
  Enter();
  Say(R"(452-9["chat:message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
  session().OnBinary();
  Say("3");  // Engine.IO's own packets may come in between
  EXPECT_THAT(Texts(), IsEmpty());
  session().OnBinary();
  EXPECT_THAT(Texts(), ElementsAre(HasSubstr(R"(439[{"success":false)")));
  Say(R"(451-["chat:message",{"_placeholder":true,"num":0}])");
  session().OnBinary();
  Say(R"(461-3[{"_placeholder":true,"num":0}])");  // an acknowledgement nobody asked for
  session().OnBinary();
  EXPECT_THAT(Texts(), IsEmpty());
  Say(R"(4210["ping"])");
  EXPECT_THAT(Texts(), ElementsAre(R"(4310[{"success":true}])"));
}

TEST_F(SocketIoSessionTest, ClosesWhereAttachmentsDontFit) {
  Enter();
  session().OnBinary();
  EXPECT_EQ(transport_->close_code, 4502);
  Accept();
  Enter();
  Say(R"(451-["x",{"_placeholder":true,"num":0}])");
  Say(R"(42["y"])");
  EXPECT_EQ(transport_->close_code, 4502);
}

TEST_F(SocketIoSessionTest, SaysWhyBeforeACloseThatMeansDontComeBack) {
  Enter();
  Say("42{}");
  EXPECT_THAT(Texts(), ElementsAre(R"(42["session:closed",{"code":4502,"reason":"protocol error: )"
                                   R"(the payload of an event is no array with its name"}])",
                                   "41"));
  EXPECT_EQ(transport_->close_code, 4502);
}

TEST_F(SocketIoSessionTest, SaysNothingBeforeACloseThatMeansComeBack) {
  for (const CloseCode code : {CloseCode::kSlowConsumer, CloseCode::kTokenExpired,
                               CloseCode::kDraining, CloseCode::kTooManyConnections}) {
    Accept();
    Enter();
    session().Close(code, "later");
    EXPECT_THAT(Texts(), IsEmpty());
    EXPECT_EQ(transport_->close_code, static_cast<int>(code));
  }
}

TEST_F(SocketIoSessionTest, EndsWhereTheTransportIsToClose) {
  Upgrade();
  Say("1");
  EXPECT_EQ(transport_->close_code, 1000);
  EXPECT_EQ(session().cause(), CloseCause::kClient);
}

// Heartbeat

TEST_F(SocketIoSessionTest, BeatsEveryIntervalWhateverElseIsSent) {
  Enter();
  int beats = 0;
  for (int i = 0; i < 30; ++i) {
    host_.Pass(5'000);
    host_.Accept(Durable(Target::User(1)));
    for (const std::string& text : Texts()) beats += text == "2" ? 1 : 0;
    Say("3");
  }
  EXPECT_EQ(beats, 6);
  EXPECT_EQ(transport_->pings, 0) << "no protocol pings";
}

TEST_F(SocketIoSessionTest, WaitsForAnAnswerFromTheHeartbeatOn) {
  host_.settings.ping_interval = 25'000;
  host_.settings.ping_timeout = 10'000;  // shorter than the interval
  Enter();
  host_.Pass(24'900);
  Say(R"(42["ping"])");
  host_.Pass(10'000);
  EXPECT_FALSE(transport_->close_code);
  host_.Pass(300);
  EXPECT_EQ(transport_->close_code, 4002);
  EXPECT_THAT(Texts(), ElementsAre("2")) << "come back: no packet but the heartbeat";
}

// The page's cursor

TEST_F(SocketIoSessionTest, BeginsWhereThePageWasBuilt) {
  host_.Accept(Durable(Target::User(1)));
  host_.Accept(Durable(Target::User(1)));
  Upgrade();
  Connect(R"(,"cursor":"e-1")");
  EXPECT_THAT(Texts(), ElementsAre(StartsWith("40{"), HasSubstr("e-2")));
}

TEST_F(SocketIoSessionTest, SaysWhereThePagesCursorLeavesAGap) {
  for (const char* cursor : {R"("other-1")", R"("e-9")", R"("")", "5"}) {
    Accept();
    Upgrade();
    Connect(absl::StrCat(R"(,"cursor":)", cursor));
    EXPECT_THAT(Texts(), ElementsAre(StartsWith("40{"), R"(42["gap",{"gap":"epoch"}])")) << cursor;
  }
  host_.CutHistory();
  Accept();
  Upgrade();
  Connect(R"(,"cursor":"e-0")");
  EXPECT_THAT(Texts(), ElementsAre(StartsWith("40{"), R"(42["gap",{"gap":"expired"}])"));
}

}  // namespace
}  // namespace msab::test
