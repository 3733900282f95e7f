// How a Socket.IO session goes on over another connection, and when it doesn't.

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
using ::testing::Not;
using ::testing::SizeIs;

class SocketIoRecoveryTest : public SocketIoSessionTest {};

TEST_F(SocketIoRecoveryTest, GoesOnAsTheSameSessionWithWhatItMissed) {
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
TEST_F(SocketIoRecoveryTest, RecoversWhoGotNoEventYet) {
  host_.Accept(Durable(Target::User(1)));
  Enter();
  Lose();
  host_.Accept(Durable(Target::User(1)));
  Back();
  EXPECT_THAT(Texts(), ElementsAre(Again(), HasSubstr("e-2")));
}

// What went through between the last event's arrival and the cut is not told by the offset.
TEST_F(SocketIoRecoveryTest, GoesOnFromTheHeartbeatThatWasAnswered) {
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

TEST_F(SocketIoRecoveryTest, TellsHeartbeatsApartWhereSeveralAreOut) {
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

// A heartbeat from before the session was: its answer, however late, says nothing of it.
TEST_F(SocketIoRecoveryTest, TakesNoAnswerToAnEarlierHeartbeatForItsOwn) {
  Upgrade();
  host_.Pass(25'100);
  EXPECT_THAT(Texts(), ElementsAre("2"));
  Connect();
  Welcomed();
  host_.Accept(Durable(Target::User(1)));
  host_.Pass(25'000);
  EXPECT_THAT(Texts(), ElementsAre(HasSubstr("e-1"), "2"));
  Say("3");  // to the first
  Lose();
  Back();
  EXPECT_THAT(Texts(), ElementsAre(Again(), HasSubstr("e-1")));
}

// It hears heartbeats while its rooms are asked for, and nothing yet of what it missed.
TEST_F(SocketIoRecoveryTest, TakesNothingForReadBeforeItIsSent) {
  Enter();
  session().EnterRoom("a", 0);
  Lose();
  host_.Accept(Durable(Target::User(1)));
  host_.handler.authorise_at_once = false;
  Back();
  host_.Pass(25'100);
  EXPECT_THAT(Texts(), ElementsAre("2"));
  host_.handler.waiting({Allowed({"a"})});
  host_.RunPosted();
  EXPECT_THAT(Texts(), ElementsAre(Again(), HasSubstr("e-1")));
  Say("3");
  Lose();
  host_.handler.authorise_at_once = true;
  Back();
  host_.RunPosted();
  EXPECT_THAT(Texts(), ElementsAre(Again(), HasSubstr("e-1")));
}

TEST_F(SocketIoRecoveryTest, TakesTheGreatestOfWhatTellsHowFarItIs) {
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

TEST_F(SocketIoRecoveryTest, DoesNotReplayTheSameBatchOnEachReconnect) {
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

TEST_F(SocketIoRecoveryTest, BeginsAnewWhereHistoryWasCut) {
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

// Whatever it had to wait for on its way in.
TEST_F(SocketIoRecoveryTest, BeginsAnewWhereHistoryWasCutWhileItEntered) {
  Enter();
  session().EnterRoom("a", 0);
  const std::string old_sid = sid_;
  const std::string old_pid = pid_;
  Lose();
  host_.handler.authorise_at_once = false;
  Back();
  host_.CutHistory();
  host_.handler.waiting({Allowed({"a"})});
  host_.RunPosted();
  Welcomed();
  EXPECT_NE(sid_, old_sid);
  EXPECT_NE(pid_, old_pid);
  EXPECT_THAT(host_.joined, IsEmpty());
  EXPECT_EQ(host_.resumes().usage().held, 1u) << "its own";
  EXPECT_EQ(host_.resumes().usage().released, 0u);
  EXPECT_EQ(host_.counted.gaps_expired.Value(), 1);
  EXPECT_EQ(host_.counted.resumed.Value(), 0);
}

// The application is away: who was in a room that it decides on can't be told to be where it was.
TEST_F(SocketIoRecoveryTest, BeginsAnewWhereNobodyCanSayWhetherItMayBeInItsRooms) {
  Enter();
  session().EnterRoom("a", 0);
  session().EnterRoom("b", 0);
  const std::string old_pid = pid_;
  Lose();
  host_.handler.authorise_at_once = false;
  Back();
  host_.handler.waiting({Allowed({"a"}), /*undecided=*/true});
  host_.RunPosted();
  Welcomed();
  EXPECT_NE(pid_, old_pid);
  EXPECT_THAT(session().rooms(), IsEmpty());
}

// After a failed recovery the client sends its new pid with its old offset.
TEST_F(SocketIoRecoveryTest, IgnoresAnOffsetOfAnEarlierSession) {
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

TEST_F(SocketIoRecoveryTest, IsNobodyElsesSession) {
  Enter();
  Lose();
  Connect(absl::StrCat(R"(,"pid":")", pid_, "\""), 2);
  const auto texts = Texts();
  ASSERT_THAT(texts, SizeIs(1));
  EXPECT_NE(texts[0], Again());
  EXPECT_THAT(texts[0], Not(HasSubstr(sid_)));
}

TEST_F(SocketIoRecoveryTest, ComesBackToItsRoomsAndGetsTheirEventsFromTheJoinOn) {
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

TEST_F(SocketIoRecoveryTest, EndsItsPredecessorBeforeItTakesItsId) {
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

TEST_F(SocketIoRecoveryTest, GivesWayToALaterConnectionOfItsClient) {
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

TEST_F(SocketIoRecoveryTest, IsEndedOnlyByALaterHold) {
  Enter();
  EXPECT_FALSE(session().Supersede(1));
  EXPECT_FALSE(transport_->close_code);
  EXPECT_TRUE(session().Supersede(2));
  EXPECT_EQ(transport_->close_code, 1000);
  EXPECT_EQ(session().cause(), CloseCause::kSuperseded);
  EXPECT_THAT(Texts(), IsEmpty()) << "silently";
}

// What the half-open old connection still does, its late end included, harms nothing.
TEST_F(SocketIoRecoveryTest, HeedsNothingOfASupersededConnection) {
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

TEST_F(SocketIoRecoveryTest, LetsARecordGoWhenItIsLostOnTheWayIn) {
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

TEST_F(SocketIoRecoveryTest, ForgetsASessionWhoseClientSaidGoodbye) {
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

TEST_F(SocketIoRecoveryTest, AnswersNothingAfterAGoodbye) {
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

TEST_F(SocketIoRecoveryTest, ForgetsASessionThatAnOperatorRemoved) {
  Enter();
  session().Close(CloseCode::kRemoved, "removed by an operator");
  EXPECT_THAT(Texts(), ElementsAre(R"(42["session:closed",{"code":4504,)"
                                   R"("reason":"removed by an operator"}])",
                                   "41"));
  EXPECT_EQ(host_.resumes().usage().held + host_.resumes().usage().released, 0u);
}

}  // namespace
}  // namespace msab::test
