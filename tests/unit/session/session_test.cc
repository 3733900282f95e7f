#include "server/session/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/entries.h"
#include "tests/unit/session/session_fixture.h"

namespace msab::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The token

TEST_F(SessionTest, WelcomesWhoBringsAGoodToken) {
  Open();
  EXPECT_TRUE(transport_->authenticated);
  ASSERT_THAT(host_.admitted, SizeIs(1));
  EXPECT_EQ(host_.admitted[0].user, 1);
  EXPECT_EQ(host_.admitted[0].shard, 3);
  EXPECT_EQ(*host_.admitted[0].profile, R"({"id":1,"name":"Ann","avatar":null})");
  const std::string expires = std::to_string(host_.clock.WallMillis() / 1000 * 1000 + 3'600'000);
  EXPECT_THAT(
      Texts(),
      ElementsAre(
          absl::StrCat(R"({"event":"welcome","data":{"connectionId":")", host_.admitted[0].id,
                       R"(","userId":1,"cursor":"e-0","recovered":null,"missed":0,)",
                       R"("rooms":[],"pingInterval":25000,"tokenExpiresAt":)", expires, "}}"),
          R"({"event":"live","cursor":"e-0"})"));
  EXPECT_EQ(transport_->resumed, 1);
}

TEST_F(SessionTest, ClosesWhoBringsABadToken) {
  session().Open(host_.dialect, {{"x.y.z", {}, {}}});
  EXPECT_EQ(transport_->close_code, 4500);
  EXPECT_EQ(transport_->close_reason, "invalid credentials");
  EXPECT_FALSE(transport_->authenticated);
  EXPECT_THAT(Texts(), IsEmpty());
}

TEST_F(SessionTest, AsksWhoBringsAnExpiredTokenToRenewIt) {
  session().Open(host_.dialect, {{Token(1, 0), {}, {}}});
  EXPECT_EQ(transport_->close_code, 4001);
}

TEST_F(SessionTest, ClosesAForeignOriginWhateverItsToken) {
  Opening opening{{Token(), {}, {}}};
  opening.origin_allowed = false;
  session().Open(host_.dialect, std::move(opening));
  EXPECT_EQ(transport_->close_code, 4503);
  EXPECT_THAT(host_.admitted, IsEmpty());
}

TEST_F(SessionTest, TakesTheTokenFromTheFirstFrame) {
  OpenBare();
  EXPECT_TRUE(session().reading());
  EXPECT_FALSE(transport_->authenticated);
  Say(absl::StrCat(R"({"id":1,"event":"auth","data":{"token":")", Token(), R"("}})"));
  const auto texts = Texts();
  ASSERT_THAT(texts, SizeIs(3));
  EXPECT_THAT(texts[0], HasSubstr("welcome"));
  EXPECT_THAT(texts[1], HasSubstr(R"({"reply":1,"ok":true,"data":{"tokenExpiresAt":)"));
  EXPECT_THAT(texts[2], HasSubstr("live"));
}

TEST_F(SessionTest, SendsNoReplyToAFirstFrameWithoutAnId) {
  OpenBare();
  Say(absl::StrCat(R"({"event":"auth","data":{"token":")", Token(), R"("}})"));
  EXPECT_THAT(Texts(), SizeIs(2));
}

TEST_F(SessionTest, TakesCursorAndRoomsFromTheFirstFrameBeforeThoseOfTheUrl) {
  host_.Accept(Durable(Target::User(1)));
  OpenBare("e-0", {{"a"}});
  Say(absl::StrCat(R"({"event":"auth","data":{"token":")", Token(),
                   R"(","cursor":"e-1","rooms":["b",42]}})"));
  host_.RunPosted();
  EXPECT_THAT(host_.handler.asked, ElementsAre("b", "42"));
  EXPECT_THAT(Texts()[0],
              HasSubstr(R"("cursor":"e-1","recovered":true,"missed":0,"rooms":["b","42"])"));
}

TEST_F(SessionTest, TakesCursorAndRoomsOfTheUrlWhereTheFirstFrameHasNone) {
  host_.Accept(Durable(Target::User(1)));
  OpenBare("e-0", {{"a"}});
  Say(absl::StrCat(R"({"event":"auth","data":{"token":")", Token(), R"(","cursor":null}})"));
  host_.RunPosted();
  EXPECT_THAT(host_.handler.asked, ElementsAre("a"));
  EXPECT_THAT(Texts()[0], HasSubstr(R"("recovered":true,"missed":1)"));
}

TEST_F(SessionTest, AnswersAnUnfitFirstFrameAndWaitsOn) {
  OpenBare();
  const std::pair<const char*, const char*> kCases[] = {
      {"null", R"({"field":"data","description":"must be an object"})"},
      {R"(["t"])", R"({"field":"data","description":"must be an object"})"},
      {"{}", R"({"field":"token","description":"is required"})"},
      {R"({"token":1})", R"({"field":"token","description":"must be a string"})"},
      {R"({"token":"t","cursor":1})", R"({"field":"cursor","description":"must be a string"})"},
      {R"({"token":"t","rooms":"a"})", R"({"field":"rooms","description":"must be a list"})"},
      {R"({"token":"t","rooms":["a",1.5]})",
       R"({"field":"rooms[1]","description":"must be a string or a whole number"})"},
      {R"({"token":null,"cursor":[]})", R"({"field":"token","description":"is required"},)"
                                        R"({"field":"cursor","description":"must be a string"})"},
  };
  for (const auto& [data, details] : kCases) {
    Say(absl::StrCat(R"({"id":1,"event":"auth","data":)", data, "}"));
    EXPECT_THAT(Texts(),
                ElementsAre(AllOf(HasSubstr(R"("code":"INVALID_PAYLOAD")"),
                                  HasSubstr(absl::StrCat(R"("details":[)", details, "]")))))
        << data;
  }
  Say(R"({"id":2,"event":"room:join","data":{}})");
  EXPECT_THAT(Texts(), ElementsAre(HasSubstr("UNAUTHENTICATED")));
  Say(R"({"id":3,"event":"ping"})");
  EXPECT_THAT(Texts(), ElementsAre(HasSubstr("UNAUTHENTICATED")));
  EXPECT_FALSE(transport_->close_code);
  Say(R"({"id":4,"event":"auth","data":{"token":"bad"}})");
  EXPECT_EQ(transport_->close_code, 4500);
}

TEST_F(SessionTest, WaitsForATokenOnlyForAWhile) {
  OpenBare();
  host_.Pass(4900);
  Say(R"({"event":"ping"})");  // no way to stay
  EXPECT_FALSE(transport_->close_code);
  host_.Pass(200);
  EXPECT_EQ(transport_->close_code, 4500);
  EXPECT_EQ(transport_->close_reason, "authentication required");
  EXPECT_EQ(session().cause(), CloseCause::kUnauthenticated);
}

TEST_F(SessionTest, ClosesWhoHasTooManyConnections) {
  host_.admission = absl::ResourceExhaustedError("too many");
  Open();
  EXPECT_EQ(transport_->close_code, 4004);
  EXPECT_THAT(Texts(), IsEmpty());
}

// It is not the client's doing, and not for ever.
TEST_F(SessionTest, SaysSoWhereItCanNotBeTakenIn) {
  host_.admission = absl::InternalError("of the house's own");
  Open();
  EXPECT_EQ(transport_->close_code, 1011);
  EXPECT_EQ(transport_->close_reason, "internal error");
  EXPECT_EQ(session().cause(), CloseCause::kInternal);
}

// Rooms at connect

TEST_F(SessionTest, EntersOnceItsRoomsAreAuthorised) {
  host_.handler.authorise_at_once = false;
  session().Open(host_.dialect, {{Token(), {}, {"a", "forbidden"}}});
  EXPECT_FALSE(session().reading());
  EXPECT_THAT(host_.admitted, IsEmpty());
  host_.Pass(20'000);  // longer than the time for the token, which it has shown
  EXPECT_FALSE(transport_->close_code);
  host_.handler.waiting({Allowed({"a"})});
  EXPECT_THAT(host_.admitted, IsEmpty()) << "entered on the thread that authorised";
  host_.RunPosted();
  EXPECT_THAT(host_.joined, ElementsAre("a"));
  EXPECT_THAT(Texts()[0], HasSubstr(R"("rooms":["a"])"));
  EXPECT_TRUE(session().InRoom("a"));
  EXPECT_EQ(session().room_count(), 1u);
}

TEST_F(SessionTest, DoesNotEnterWhenItWasLostMeanwhile) {
  host_.handler.authorise_at_once = false;
  session().Open(host_.dialect, {{Token(), {}, {"a"}}});
  session().OnLost();
  host_.handler.waiting({Allowed({"a"})});
  host_.RunPosted();
  EXPECT_THAT(host_.admitted, IsEmpty());
}

TEST_F(SessionTest, TakesNoInputWhileItEnters) {
  host_.handler.authorise_at_once = false;
  session().Open(host_.dialect, {{Token(), {}, {"a"}}});
  Say("not even JSON");
  EXPECT_FALSE(transport_->close_code);
}

// Replay

TEST_F(SessionTest, SkipsWhatWasNumberedBeforeItAndHandedOutAfter) {
  const EntryPtr early = host_.Accept(Durable(Target::User(1)), /*hand=*/false);
  Open("e-0");
  EXPECT_THAT(Texts()[1], HasSubstr(R"("cursor":"e-1")"));
  host_.Hand(early);
  EXPECT_THAT(Texts(), IsEmpty());
  host_.Accept(Durable(Target::User(1)));
  EXPECT_THAT(Texts(), ElementsAre(HasSubstr("e-2")));
}

TEST_F(SessionTest, SkipsOlderEntriesWithoutACursorToo) {
  const EntryPtr early = host_.Accept(Durable(Target::User(1)), /*hand=*/false);
  Open();
  Texts();
  host_.Hand(early);
  EXPECT_THAT(Texts(), IsEmpty());
}

TEST_F(SessionTest, ReadsOnToWhatWasHandedOutMeanwhile) {
  host_.settings.high_water = 4000;  // replays 1,000 bytes at a time
  const std::string payload = "{\"x\":\"" + std::string(100, 'x') + "\"}";
  for (int i = 0; i < 50; ++i) host_.Accept(Durable(Target::User(1), payload));
  Open("e-0");
  // Nothing was written yet: a part of it waits, and what comes live is not queued.
  EXPECT_LT(transport_->outbox().bytes(), 1500u);
  EXPECT_FALSE(session().reading());
  for (int i = 0; i < 50; ++i) host_.Accept(Durable(Target::User(1), payload));
  EXPECT_LT(transport_->outbox().bytes(), 1500u);
  // Of these the shard's inbox has yet to bring the last ones.
  std::vector<EntryPtr> late;
  for (int i = 0; i < 3; ++i) late.push_back(host_.Accept(Durable(Target::User(1)), false));
  std::vector<std::string> texts = Texts();
  for (const EntryPtr& entry : late) host_.Hand(entry);
  for (std::string& text : Texts()) texts.push_back(std::move(text));

  EXPECT_THAT(texts[0], HasSubstr(R"("missed":50)"));
  uint64_t last = 0;
  size_t live_at = 0;
  for (size_t i = 1; i < texts.size(); ++i) {
    if (texts[i].find(R"("event":"live")") != std::string::npos) {
      live_at = i;
      EXPECT_THAT(texts[i], HasSubstr(R"("cursor":"e-50")"));
      continue;
    }
    EXPECT_THAT(texts[i], HasSubstr(absl::StrCat("\"e-", ++last, "\"")));
  }
  EXPECT_EQ(last, 103u);
  EXPECT_EQ(live_at, 51u);
  EXPECT_TRUE(session().reading());
  EXPECT_EQ(transport_->resumed, 1);
}

// A client may wait for as many as it was told of.
TEST_F(SessionTest, BringsAsManyAsItSaidThoughStatesAreReplacedMeanwhile) {
  host_.settings.high_water = 4000;
  for (int i = 0; i < 300; ++i) host_.Accept(Durable(Target::User(1)));
  host_.Accept(Latest(Target::User(1), 1));
  host_.Accept(Durable(Target::User(1)));
  Open("e-0");
  host_.Accept(Latest(Target::User(1), 2));  // while the first page waits
  const std::vector<std::string> texts = Texts();
  ASSERT_THAT(texts, SizeIs(305));
  EXPECT_THAT(texts[0], HasSubstr(R"("missed":302)"));
  EXPECT_THAT(texts[301], AllOf(HasSubstr("test.latest"), HasSubstr("\"e-301\"")));
  EXPECT_THAT(texts[302], HasSubstr("\"e-302\""));
  EXPECT_THAT(texts[303], HasSubstr(R"("event":"live")"));
  EXPECT_THAT(texts[304], AllOf(HasSubstr("test.latest"), HasSubstr("\"e-303\"")));
}

TEST_F(SessionTest, ClosesWhenItNeitherReadsNorAnswersWhileItReplays) {
  host_.settings.high_water = 4000;
  for (int i = 0; i < 200; ++i) host_.Accept(Durable(Target::User(1)));
  Open("e-0");
  host_.Pass(40'000);
  transport_->Take(1);
  // The next heartbeat goes out at 50 s, and has a minute.
  host_.Pass(69'900);
  EXPECT_FALSE(transport_->close_code);
  host_.Pass(200);
  EXPECT_EQ(transport_->close_code, 4002);
}

// Live events

TEST_F(SessionTest, DeliversNothingAfterItsClose) {
  GoLive();
  const EntryPtr entry = host_.Accept(Durable(Target::User(2)), false);
  session().Close(CloseCode::kRemoved, "removed");
  session().Deliver(entry, host_.dialect.Event(entry, "e"));
  session().Close(CloseCode::kRevoked, "revoked");
  EXPECT_EQ(transport_->close_code, 4504);
  EXPECT_THAT(Texts(), IsEmpty());
}

// What clients say

TEST_F(SessionTest, AnswersEveryCommandWithAnId) {
  GoLive();
  Say(R"({"id":7,"event":"chat:message","data":{}})");
  EXPECT_THAT(Texts(), ElementsAre(R"({"reply":7,"ok":true,"data":{"did":"chat:message"}})"));
  Say(R"({"event":"chat:message","data":{}})");
  EXPECT_THAT(Texts(), IsEmpty());
  Say(R"({"id":8,"event":"ping"})");
  EXPECT_THAT(Texts(), ElementsAre(R"({"reply":8,"ok":true,"data":{}})"));
}

TEST_F(SessionTest, AnswersNobodyAfterTheClose) {
  host_.handler.answer_at_once = false;
  GoLive();
  Say(R"({"id":7,"event":"x"})");
  session().Close(CloseCode::kDraining, "x");
  host_.handler.last_reply("{}");
  EXPECT_THAT(Texts(), IsEmpty());
}

TEST_F(SessionTest, ClosesWhoDoesNotSpeakTheDialect) {
  for (const char* text : {"", "nonsense", "[]", R"({"id":1})", R"({"id":"1","event":"x"})"}) {
    Accept();
    GoLive();
    Say(text);
    EXPECT_EQ(transport_->close_code, 4502) << text;
    EXPECT_EQ(host_.present, nullptr);
  }
  Accept();
  GoLive();
  session().OnBinary();
  EXPECT_EQ(transport_->close_code, 4502);
  // Without a token, too.
  Accept();
  OpenBare();
  session().OnBinary();
  EXPECT_EQ(transport_->close_code, 4502);
}

TEST_F(SessionTest, HoldsAClientToItsRate) {
  host_.settings.client_messages = Rate::PerSecond(3, 2);
  GoLive();
  for (int i = 0; i < 3; ++i) Say(R"({"id":1,"event":"x"})");
  EXPECT_THAT(Texts(), SizeIs(3));
  Say(R"({"id":2,"event":"x"})");
  EXPECT_THAT(Texts(), ElementsAre(R"({"reply":2,"ok":false,"error":{"code":"RATE_LIMITED",)"
                                   R"("message":"too many messages","retryAfter":500}})"));
  EXPECT_EQ(host_.counted.rate_limited.Value(), 1);
  host_.Pass(500);
  Say(R"({"id":3,"event":"x"})");
  EXPECT_THAT(Texts(), ElementsAre(HasSubstr(R"("ok":true)")));
  EXPECT_FALSE(transport_->close_code);
}

// Renewal

TEST_F(SessionTest, EndsWithItsTokenUnlessThatIsRenewed) {
  session().Open(host_.dialect, {{Token(1, 30), {}, {}}});
  host_.Pass(20'000);
  session().OnAlive();
  Texts();
  Say(absl::StrCat(R"({"id":9,"event":"auth","data":{"token":")", Token(1, 40), R"("}})"));
  EXPECT_THAT(Texts(), ElementsAre(HasSubstr(R"({"reply":9,"ok":true,"data":{"tokenExpiresAt":)")));
  host_.Pass(39'900);
  session().OnAlive();
  EXPECT_FALSE(transport_->close_code);
  host_.Pass(200);
  EXPECT_EQ(transport_->close_code, 4001);
}

TEST_F(SessionTest, ChangesNothingForABadRenewal) {
  session().Open(host_.dialect, {{Token(1, 30), {}, {}}});
  Texts();
  for (const std::string& token : {Token(2, 3600), Token(1, -1), std::string("bad")}) {
    Say(absl::StrCat(R"({"id":9,"event":"auth","data":{"token":")", token, R"("}})"));
    EXPECT_THAT(Texts(), ElementsAre(HasSubstr(R"("code":"UNAUTHENTICATED")")));
  }
  host_.Pass(29'900);
  EXPECT_FALSE(transport_->close_code);
  EXPECT_EQ(session().user(), 1);
  host_.Pass(200);
  EXPECT_EQ(transport_->close_code, 4001);
}

// The application's clock jumps; the token's end is looked at nevertheless.
TEST_F(SessionTest, EndsWithItsTokenThoughTheClockJumps) {
  GoLive();
  host_.wall_jump = 3'700'000;
  host_.Pass(30'000);
  EXPECT_EQ(transport_->close_code, 4001);
}

// Time

TEST_F(SessionTest, PingsAQuietClientWithItsCursor) {
  GoLive();
  host_.Accept(Durable(Target::User(2)), false);
  host_.handled = 1;  // for others: nothing was sent
  host_.Pass(24'900);
  EXPECT_THAT(Texts(), IsEmpty());
  host_.Pass(200);
  EXPECT_THAT(Texts(), ElementsAre(R"({"event":"ping","cursor":"e-1"})"));
  EXPECT_EQ(transport_->pings, 1);
}

TEST_F(SessionTest, SparesABusyClientTheApplicationsPing) {
  GoLive();
  for (int i = 0; i < 6; ++i) {
    host_.Pass(10'000);
    session().OnAlive();
    host_.Accept(Durable(Target::User(1)));
    EXPECT_THAT(Texts(), ElementsAre(HasSubstr("test.durable")));
  }
  // Protocol pings go out all the same: they are what tells a dead peer.
  EXPECT_EQ(transport_->pings, 2);
}

TEST_F(SessionTest, ClosesWhoAnswersNoPing) {
  GoLive();
  host_.Pass(84'900);
  EXPECT_FALSE(transport_->close_code);
  host_.Pass(200);
  EXPECT_EQ(transport_->close_code, 4002);
}

// As Socket.IO's own defaults have it: 25 s and 20 s. Nobody is late who was not asked yet.
TEST_F(SessionTest, WaitsForAnAnswerFromThePingOn) {
  host_.settings.ping_interval = 25'000;
  host_.settings.ping_timeout = 20'000;
  GoLive();
  for (int i = 0; i < 10; ++i) {
    host_.Pass(25'100);
    EXPECT_FALSE(transport_->close_code) << "round " << i;
    session().OnAlive();  // the pong
  }
  // The next ping goes out a little before 275 s.
  host_.Pass(24'000 + 19'000);
  EXPECT_FALSE(transport_->close_code);
  host_.Pass(2'000);
  EXPECT_EQ(transport_->close_code, 4002);
}

TEST_F(SessionTest, KeepsWhoAnswers) {
  GoLive();
  for (int i = 0; i < 10; ++i) {
    host_.Pass(50'000);
    session().OnAlive();
  }
  EXPECT_FALSE(transport_->close_code);
}

TEST_F(SessionTest, AbortsAPeerThatDoesNotClose) {
  GoLive();
  session().Close(CloseCode::kRemoved, "removed");
  host_.Pass(4900);
  EXPECT_FALSE(transport_->aborted);
  host_.Pass(200);
  EXPECT_TRUE(transport_->aborted);
}

// The peer began the close: the session is out at once, and has the same time for its end.
TEST_F(SessionTest, LeavesWhenThePeerCloses) {
  GoLive();
  session().OnClosing();
  EXPECT_EQ(host_.present, nullptr);
  EXPECT_EQ(session().cause(), CloseCause::kClient);
  host_.Accept(Durable(Target::User(1)));
  EXPECT_THAT(Texts(), IsEmpty());
  host_.Pass(5100);
  EXPECT_TRUE(transport_->aborted);
}

// Rooms

TEST_F(SessionTest, EntersAndLeavesRoomsOnce) {
  GoLive();
  session().EnterRoom("a", 0);
  session().EnterRoom("a", 0);
  EXPECT_THAT(host_.joined, ElementsAre("a"));
  session().ExitRoom("a");
  session().ExitRoom("a");
  EXPECT_THAT(host_.joined, IsEmpty());
  EXPECT_FALSE(session().InRoom("a"));
}

TEST_F(SessionTest, GivesBackTheRoomOfABurst) {
  GoLive();
  for (int i = 0; i < 1000; ++i) host_.Accept(Durable(Target::User(1)));
  EXPECT_THAT(Texts(), SizeIs(1000));
  EXPECT_GE(transport_->outbox().room(), 1000u);
  host_.Pass(25'100);
  EXPECT_LE(transport_->outbox().room(), 8u);
}

// What stands before the first event is a burst, too, and for many the only one.
TEST_F(SessionTest, GivesBackTheRoomOfTheWelcome) {
  transport_->outbox().Push(Frame::Ping());  // as the upgrade's answer does
  GoLive();
  EXPECT_LE(transport_->outbox().room(), 2u);
}

}  // namespace
}  // namespace msab::test
