// What a session does where its dialect is Socket.IO: the rest is as in session_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/protocol/socketio_dialect.h"
#include "server/session/session.h"
#include "tests/support/entries.h"
#include "tests/unit/session/session_fixture.h"

namespace msab::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class SocketIoSessionTest : public SessionTest {
 protected:
  // Upgraded, with Engine.IO's open packet read away.
  void Upgrade(bool origin_allowed = true) {
    session().Open(socketio_, {{}, origin_allowed});
    EXPECT_THAT(Texts(), ElementsAre(StartsWith("0{")));
  }
  void Connect(const std::string& more = "", UserId user = 1) {
    Say(absl::StrCat(R"(40{"token":")", Token(user), "\"", more, "}"));
    host_.RunPosted();
  }
  // Connected, with the answer read away; what it told is kept.
  void Enter(const std::string& more = "") {
    Upgrade();
    Connect(more);
    Welcomed();
  }
  void Welcomed() {
    const auto texts = Texts();
    ASSERT_THAT(texts, SizeIs(1));
    sid_ = Between(texts[0], R"("sid":")");
    pid_ = Between(texts[0], R"("pid":")");
  }
  // The connection is lost, the next one is upgraded.
  void Lose() {
    session().OnLost();
    host_.present = nullptr;
    Accept();
    Upgrade();
  }
  void Back(const std::string& offset = "") {
    Connect(absl::StrCat(R"(,"pid":")", pid_, "\"",
                         offset.empty() ? "" : absl::StrCat(R"(,"offset":")", offset, "\"")));
  }
  std::string Again() const {
    return absl::StrCat(R"(40{"sid":")", sid_, R"(","pid":")", pid_, R"("})");
  }
  static std::string Between(const std::string& text, const std::string& start) {
    const size_t at = text.find(start);
    if (at == text.npos) return "";
    return text.substr(at + start.size(), text.find('"', at + start.size()) - at - start.size());
  }

  const SocketIoDialect socketio_{};
  std::string sid_;
  std::string pid_;
};

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
  Say(R"(428["auth"])");
  EXPECT_THAT(Texts(), ElementsAre(R"(437[{"success":true,"did":"room:join"}])",
                                   R"(438[{"success":false,"error":"token: wants a string",)"
                                   R"("code":"INVALID_PAYLOAD"}])"));
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

// Recovery

TEST_F(SocketIoSessionTest, GoesOnAsTheSameSessionWithWhatItMissed) {
  Enter();
  host_.Accept(Durable(Target::User(1), R"({"n":1})"));
  Texts();
  Lose();
  host_.Accept(Durable(Target::User(1), R"({"n":2})"));
  host_.Accept(Durable(Target::Everyone(), R"({"n":3})"));
  Back("e-1");
  EXPECT_THAT(Texts(), ElementsAre(Again(), R"(42["test.durable",{"n":2},"e-2"])",
                                   R"(42["test.durable",{"n":3},"e-3"])"));
  EXPECT_EQ(host_.admitted[1].id, sid_);
  host_.Accept(Durable(Target::User(1), R"({"n":4})"));
  EXPECT_THAT(Texts(), ElementsAre(HasSubstr("e-4")));
}

// It has a pid and no offset.
TEST_F(SocketIoSessionTest, RecoversWhoGotNoEventYet) {
  host_.Accept(Durable(Target::User(1)));
  Enter();
  Lose();
  host_.Accept(Durable(Target::User(1)));
  Back();
  EXPECT_THAT(Texts(), ElementsAre(Again(), HasSubstr("e-2")));
}

// What went through between the last event's arrival and the cut is not told by the offset.
TEST_F(SocketIoSessionTest, GoesOnFromTheHeartbeatThatWasAnswered) {
  Enter();
  host_.Accept(Durable(Target::User(1)));
  host_.Pass(25'100);
  host_.Accept(Durable(Target::User(1)));  // behind the heartbeat
  EXPECT_THAT(Texts(), ElementsAre(HasSubstr("e-1"), "2", HasSubstr("e-2")));
  Say("3");
  Lose();
  Back();
  EXPECT_THAT(Texts(), ElementsAre(Again(), HasSubstr("e-2"))) << "what the pong can't speak of";
}

TEST_F(SocketIoSessionTest, TellsHeartbeatsApartWhereSeveralAreOut) {
  Enter();
  host_.Accept(Durable(Target::User(1)));
  host_.Pass(25'100);  // behind 1
  host_.Accept(Durable(Target::User(1)));
  host_.Pass(25'000);  // behind 2
  Texts();
  Say("3");
  Say("3");
  Say("3");  // an answer to nothing
  Lose();
  Back();
  EXPECT_THAT(Texts(), ElementsAre(Again(), HasSubstr("e-2")));
}

TEST_F(SocketIoSessionTest, TakesTheGreatestOfWhatTellsHowFarItIs) {
  for (int i = 0; i < 5; ++i) host_.Accept(Durable(Target::User(1)));
  Upgrade();
  Connect(R"(,"cursor":"e-2")");  // begins at 2
  const auto welcome = Texts();
  ASSERT_THAT(welcome, SizeIs(4));
  pid_ = Between(welcome[0], R"("pid":")");
  const auto resumes_after = [&](const std::string& more) {
    Lose();
    Connect(absl::StrCat(R"(,"pid":")", pid_, "\"", more));
    return Texts().size() - 1;
  };
  EXPECT_EQ(resumes_after(""), 3u);
  EXPECT_EQ(resumes_after(R"(,"offset":"e-1")"), 3u) << "before the session's start";
  EXPECT_EQ(resumes_after(R"(,"offset":"nonsense")"), 3u);
  EXPECT_EQ(resumes_after(R"(,"offset":"other-9")"), 3u);
  EXPECT_EQ(resumes_after(R"(,"offset":"e-9")"), 3u) << "of the future";
  EXPECT_EQ(resumes_after(R"(,"offset":"e-3")"), 2u);
  EXPECT_EQ(resumes_after(R"(,"offset":"e-3","cursor":"e-4")"), 1u);
  EXPECT_EQ(resumes_after(R"(,"offset":"e-5","cursor":"e-4")"), 0u);
}

TEST_F(SocketIoSessionTest, DoesNotReplayTheSameBatchOnEachReconnect) {
  Enter();
  Lose();
  for (int i = 0; i < 3; ++i) host_.Accept(Durable(Target::User(1)));
  Back();
  EXPECT_THAT(Texts(), SizeIs(4));
  Lose();
  Back("e-3");
  EXPECT_THAT(Texts(), ElementsAre(Again()));
  Lose();
  Back("e-3");
  EXPECT_THAT(Texts(), ElementsAre(Again()));
}

TEST_F(SocketIoSessionTest, BeginsAnewWhereHistoryWasCut) {
  Enter();
  session().EnterRoom("a", 0);
  const std::string old = sid_;
  Lose();
  host_.CutHistory();
  Back();
  const std::string old_pid = pid_;
  Welcomed();
  EXPECT_NE(sid_, old);
  EXPECT_NE(pid_, old_pid);
  EXPECT_THAT(host_.joined, IsEmpty());
  EXPECT_THAT(host_.superseded, ElementsAre(old)) << "it is no longer where it was";
}

// After a failed recovery the client sends its new pid with its old offset.
TEST_F(SocketIoSessionTest, IgnoresAnOffsetOfAnEarlierSession) {
  Enter();
  host_.Accept(Durable(Target::User(1)));
  Texts();
  session().OnLost();
  host_.CutHistory();
  host_.present = nullptr;
  Accept();
  Upgrade();
  Back("e-1");
  Welcomed();
  const EntryPtr next = host_.Accept(Durable(Target::User(1)));
  Texts();
  Lose();
  Back("e-1");
  EXPECT_THAT(Texts(), ElementsAre(Again(), HasSubstr(absl::StrCat("e-", next->sequence))));
}

TEST_F(SocketIoSessionTest, IsNobodyElsesSession) {
  Enter();
  Lose();
  Connect(absl::StrCat(R"(,"pid":")", pid_, "\""), 2);
  const auto texts = Texts();
  ASSERT_THAT(texts, SizeIs(1));
  EXPECT_NE(texts[0], Again());
  EXPECT_THAT(texts[0], Not(HasSubstr(sid_)));
}

TEST_F(SocketIoSessionTest, ComesBackToItsRoomsAndGetsTheirEventsFromTheJoinOn) {
  Enter();
  host_.Accept(Durable(Target::Room("a"), R"({"n":"before the join"})"), false);
  session().EnterRoom("a", 1);
  session().EnterRoom("forbidden", 1);
  session().EnterRoom("b", 1);
  session().ExitRoom("b");
  Lose();
  host_.joined.clear();
  for (const char* room : {"a", "b", "forbidden"}) host_.Accept(Durable(Target::Room(room)), false);
  host_.handled = 4;
  Back();
  host_.RunPosted();  // the rooms are authorised again
  EXPECT_THAT(host_.handler.asked, ElementsAre("a", "forbidden"));
  EXPECT_THAT(Texts(), ElementsAre(Again(), HasSubstr("e-2")));
  EXPECT_THAT(session().rooms(), ElementsAre("a"));
  // The room that it was refused is not asked for again.
  Lose();
  Back();
  host_.RunPosted();
  EXPECT_THAT(host_.handler.asked, ElementsAre("a"));
}

TEST_F(SocketIoSessionTest, EndsItsPredecessorBeforeItTakesItsId) {
  Enter();
  Accept();  // the old connection is half-open: nobody knows that it's lost
  Upgrade();
  host_.admission = absl::AlreadyExistsError("in use");
  Back();
  EXPECT_THAT(host_.superseded, ElementsAre(sid_));
  EXPECT_THAT(Texts(), IsEmpty());
  host_.admission = absl::OkStatus();
  host_.supersede_done(true);
  EXPECT_THAT(Texts(), ElementsAre(Again()));
}

TEST_F(SocketIoSessionTest, GivesWayToALaterConnectionOfItsClient) {
  Enter();
  Accept();
  Upgrade();
  host_.admission = absl::AlreadyExistsError("in use");
  Back();
  host_.supersede_done(false);
  EXPECT_EQ(transport_->close_code, 1000);
  EXPECT_EQ(session().cause(), CloseCause::kSuperseded);
  EXPECT_THAT(Texts(), IsEmpty());
}

TEST_F(SocketIoSessionTest, IsEndedOnlyByALaterHold) {
  Enter();
  EXPECT_FALSE(session().Supersede(1));
  EXPECT_FALSE(transport_->close_code);
  EXPECT_TRUE(session().Supersede(2));
  EXPECT_EQ(transport_->close_code, 1000);
  EXPECT_EQ(session().cause(), CloseCause::kSuperseded);
  EXPECT_THAT(Texts(), IsEmpty()) << "silently";
}

// What the half-open old connection still does, its late end included, harms nothing.
TEST_F(SocketIoSessionTest, HeedsNothingOfASupersededConnection) {
  Enter();
  const auto old = transport_;
  Accept();
  Upgrade();
  Back();
  EXPECT_THAT(Texts(), ElementsAre(Again()));
  old->session.EnterRoom("ghost", 0);
  old->session.OnLost();
  host_.Pass(100);
  host_.present = &session();
  Lose();
  host_.handler.asked.clear();
  Back();
  host_.RunPosted();
  EXPECT_THAT(Texts(), ElementsAre(Again()));
  EXPECT_THAT(host_.handler.asked, IsEmpty());
}

TEST_F(SocketIoSessionTest, LetsARecordGoWhenItIsLostOnTheWayIn) {
  Enter();
  Lose();
  Say(absl::StrCat(R"(40{"token":")", Token(), R"(","pid":")", pid_, "\"}"));
  session().OnLost();  // before the claim was answered
  host_.RunPosted();
  EXPECT_EQ(host_.resumes().usage().held, 0u);
  EXPECT_EQ(host_.resumes().usage().released, 1u);
  Accept();
  Upgrade();
  Back();
  EXPECT_THAT(Texts(), ElementsAre(Again()));
}

TEST_F(SocketIoSessionTest, ForgetsASessionWhoseClientSaidGoodbye) {
  Enter();
  session().EnterRoom("a", 0);
  Say("41");
  EXPECT_EQ(host_.present, nullptr);
  EXPECT_TRUE(host_.left) << "out of its rooms at once";
  EXPECT_EQ(host_.resumes().usage().held, 0u);
  host_.Accept(Durable(Target::User(1)));
  EXPECT_THAT(Texts(), IsEmpty());
  EXPECT_FALSE(transport_->close_code);
  host_.Pass(25'100);
  EXPECT_THAT(Texts(), ElementsAre("2")) << "Engine.IO's connection lives on";
  Say("3");
  host_.Pass(20'000);
  EXPECT_EQ(transport_->close_code, 4500);
  const std::string old_pid = pid_;
  Lose();
  Back();
  Welcomed();
  EXPECT_NE(pid_, old_pid);
}

TEST_F(SocketIoSessionTest, AnswersNothingAfterAGoodbye) {
  Enter();
  host_.handler.answer_at_once = false;
  Say(R"(421["room:join",{}])");
  Say("41");
  host_.handler.last_caller->EnterRoom("a", 0);
  host_.handler.last_reply("{}");
  EXPECT_THAT(Texts(), IsEmpty());
  EXPECT_THAT(host_.joined, IsEmpty());
  Connect();
  EXPECT_EQ(transport_->close_code, 1000) << "a new session has a connection of its own";
}

TEST_F(SocketIoSessionTest, ForgetsASessionThatAnOperatorRemoved) {
  Enter();
  session().Close(CloseCode::kRemoved, "removed by an operator");
  EXPECT_THAT(Texts(), ElementsAre(R"(42["session:closed",{"code":4504,)"
                                   R"("reason":"removed by an operator"}])",
                                   "41"));
  EXPECT_EQ(host_.resumes().usage().held + host_.resumes().usage().released, 0u);
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
