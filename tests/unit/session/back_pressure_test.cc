// A session whose client takes less than the relay has to say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/session/session.h"
#include "tests/support/entries.h"
#include "tests/unit/session/session_fixture.h"

namespace msab::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class BackPressureTest : public SessionTest {};

TEST_F(BackPressureTest, ReplacesAWaitingState) {
  GoLive();
  host_.Accept(Latest(Target::User(1), 1));
  host_.Accept(Durable(Target::User(1)));
  host_.Accept(Latest(Target::User(1), 2));
  const auto texts = Texts();
  ASSERT_THAT(texts, SizeIs(2));
  EXPECT_THAT(texts[0], HasSubstr("\"e-2\""));
  EXPECT_THAT(texts[1], HasSubstr("\"e-3\""));
}

TEST_F(BackPressureTest, DropsEphemeralEventsFirst) {
  host_.settings.high_water = 1000;
  GoLive();
  transport_->open = false;
  const std::string payload = "{\"x\":\"" + std::string(200, 'x') + "\"}";
  host_.Accept(Ephemeral(Target::User(1), payload));
  host_.Accept(Durable(Target::User(1), payload));
  EXPECT_GT(transport_->outbox().bytes(), 500u);
  // Half of the room is for what must arrive.
  host_.Accept(Ephemeral(Target::User(1), payload));
  EXPECT_EQ(host_.counted.ephemeral_dropped.Value(), 1);
  host_.Accept(Durable(Target::User(1), payload));
  // Over the mark: the waiting ephemeral one goes, the session stays.
  host_.Accept(Durable(Target::User(1), payload));
  EXPECT_EQ(host_.counted.ephemeral_dropped.Value(), 2);
  EXPECT_FALSE(transport_->close_code);
  const auto texts = Texts();
  ASSERT_THAT(texts, SizeIs(3));
  EXPECT_THAT(texts[0], HasSubstr("\"e-1\""));
}

TEST_F(BackPressureTest, ClosesAReaderThatIsTooSlow) {
  host_.settings.high_water = 1000;
  GoLive();
  transport_->open = false;
  const std::string payload = "{\"x\":\"" + std::string(200, 'x') + "\"}";
  host_.Accept(Durable(Target::User(1), payload));
  transport_->Take(1);
  for (int i = 0; i < 10; ++i) host_.Accept(Durable(Target::User(1), payload));
  EXPECT_EQ(transport_->close_code, 4000);
  EXPECT_EQ(host_.present, nullptr);
  // Only the frame that is begun goes out, before the close frame.
  EXPECT_THAT(Texts(), ElementsAre(HasSubstr("\"e-1\"")));
  EXPECT_EQ(session().cause(), CloseCause::kSlowConsumer);
}

TEST_F(BackPressureTest, SparesAReaderWhoseSocketTakesMore) {
  host_.settings.high_water = 1000;
  GoLive();
  const std::string payload = "{\"x\":\"" + std::string(400, 'x') + "\"}";
  for (int i = 0; i < 10; ++i) host_.Accept(Durable(Target::User(1), payload));
  EXPECT_FALSE(transport_->close_code);
  EXPECT_THAT(Texts(), SizeIs(10));
}

TEST_F(BackPressureTest, ClosesWhoAsksAndNeverReads) {
  host_.settings.high_water = 1000;
  GoLive();
  transport_->open = false;
  for (int i = 0; i < 100 && !transport_->close_code; ++i) Say(R"({"id":1,"event":"ping"})");
  EXPECT_EQ(transport_->close_code, 4000);
}

// A room's participants may be longer than all that is to wait, and whoever asks for them must get
// them: a client that is closed instead comes back and asks again.
TEST_F(BackPressureTest, SendsAnAnswerLongerThanAllThatMayWait) {
  host_.settings.high_water = 1000;
  host_.handler.answer_at_once = false;
  GoLive();
  transport_->open = false;
  Say(R"({"id":7,"event":"room:join"})");
  host_.handler.last_reply("{\"x\":\"" + std::string(9000, 'x') + "\"}");
  ASSERT_FALSE(transport_->close_code);
  // Beside it events have the room that they always have, and no more.
  const std::string payload = "{\"x\":\"" + std::string(200, 'x') + "\"}";
  for (int i = 0; i < 3; ++i) host_.Accept(Durable(Target::User(1), payload));
  host_.Accept(Ephemeral(Target::User(1), payload));
  EXPECT_EQ(host_.counted.ephemeral_dropped.Value(), 1);
  ASSERT_FALSE(transport_->close_code);
  EXPECT_THAT(Texts(), SizeIs(4));
  // Once it is through, all is as before.
  for (int i = 0; i < 10; ++i) host_.Accept(Durable(Target::User(1), payload));
  EXPECT_EQ(transport_->close_code, 4000);
}

TEST_F(BackPressureTest, SendsSeveralLongAnswersButNotAnyNumber) {
  host_.settings.high_water = 1000;
  host_.handler.answer_at_once = false;
  GoLive();
  transport_->open = false;
  const std::string answer = "{\"x\":\"" + std::string(1200, 'x') + "\"}";
  for (int i = 0; i < 3; ++i) {
    Say(R"({"id":7,"event":"room:join"})");
    host_.handler.last_reply(answer);
    ASSERT_FALSE(transport_->close_code) << i;
  }
  for (int i = 0; i < 10 && !transport_->close_code; ++i) {
    Say(R"({"id":7,"event":"room:join"})");
    host_.handler.last_reply(answer);
  }
  EXPECT_EQ(transport_->close_code, 4000);
  EXPECT_LT(transport_->outbox().bytes(), 7000u);
}

// The ping waits behind the answer: its progress is the sign of life.
TEST_F(BackPressureTest, IsPatientWhileALongAnswerIsOnItsWay) {
  host_.settings.high_water = 1000;
  host_.handler.answer_at_once = false;
  GoLive();
  transport_->open = false;
  Say(R"({"id":7,"event":"room:join"})");
  host_.handler.last_reply("{\"x\":\"" + std::string(9000, 'x') + "\"}");
  for (int i = 0; i < 8; ++i) {
    host_.Pass(20'000);
    transport_->Take(1000);
  }
  EXPECT_FALSE(transport_->close_code);
  // What is left is no more than anybody's: from here on it must be heard of.
  transport_->TakeAll();
  for (int i = 0; i < 6; ++i) {
    host_.Pass(20'000);
    transport_->TakeAll();
  }
  EXPECT_EQ(transport_->close_code, 4002);
}

}  // namespace
}  // namespace msab::test
