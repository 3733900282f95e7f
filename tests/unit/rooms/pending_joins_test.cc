#include "server/rooms/pending_joins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/rooms/errors.h"
#include "tests/unit/rooms/fake_caller.h"

namespace msab {
namespace {

using ::testing::ElementsAre;

class PendingJoinsTest : public ::testing::Test {
 protected:
  // Asks for `name` in `room`: notes the name when its turn has come.
  void Ask(const std::string& room, const std::string& name) {
    pending_.InTurn(caller_, room, Reply(name), [this, name](CommandReply reply) {
      ran_.push_back(name);
      reply("{}");
    });
  }

  // Asks to join: when its turn has come, a join is under way.
  void AskJoin(const std::string& room, const std::string& name) {
    pending_.InTurn(caller_, room, Reply(name), [this, room, name](CommandReply) {
      ran_.push_back(name);
      pending_.Begin(caller_, room);
    });
  }

  CommandReply Reply(const std::string& name) {
    return [this, name](CommandResult result) {
      if (const auto* error = std::get_if<CommandError>(&result)) {
        refused_.push_back(name + " " + std::string(error->code));
      }
    };
  }

  FakeCaller caller_{"c1", 1, 0, R"({"id":1})"};
  PendingJoins pending_;
  std::vector<std::string> ran_;
  std::vector<std::string> refused_;
};

TEST_F(PendingJoinsTest, WithoutAJoinEverythingRunsAtOnce) {
  Ask("a", "chat");
  EXPECT_THAT(ran_, ElementsAre("chat"));
}

TEST_F(PendingJoinsTest, WhatConcernsTheRoomWaitsInOrder) {
  AskJoin("a", "join");
  Ask("a", "chat");
  Ask("a", "leave");
  Ask("b", "elsewhere");
  EXPECT_THAT(ran_, ElementsAre("join", "elsewhere"));
  pending_.Settle(caller_, "a");
  EXPECT_THAT(ran_, ElementsAre("join", "elsewhere", "chat", "leave"));
  Ask("a", "later");
  EXPECT_EQ(ran_.back(), "later");
}

TEST_F(PendingJoinsTest, AnotherJoinHoldsUpTheRestAgain) {
  AskJoin("a", "join 1");
  Ask("a", "leave 1");
  AskJoin("a", "join 2");
  Ask("a", "leave 2");
  pending_.Settle(caller_, "a");
  EXPECT_THAT(ran_, ElementsAre("join 1", "leave 1", "join 2"));
  Ask("a", "chat");
  pending_.Settle(caller_, "a");
  EXPECT_THAT(ran_, ElementsAre("join 1", "leave 1", "join 2", "leave 2", "chat"));
}

TEST_F(PendingJoinsTest, AJoinThatFailsAtOnceInItsTurnHoldsUpNothing) {
  AskJoin("a", "join 1");
  pending_.InTurn(caller_, "a", Reply("join 2"), [this](CommandReply) {
    pending_.Begin(caller_, "a");
    pending_.Settle(caller_, "a");
  });
  Ask("a", "chat");
  pending_.Settle(caller_, "a");
  EXPECT_THAT(ran_, ElementsAre("join 1", "chat"));
  EXPECT_EQ(pending_.EnteringCount(caller_), 0U);
}

TEST_F(PendingJoinsTest, CallersOfOneConnectionIdAreApart) {
  AskJoin("a", "join");
  FakeCaller resumed("c1", 1, 0, R"({"id":1})");
  bool ran = false;
  pending_.InTurn(resumed, "a", Reply("leave"), [&ran](CommandReply) { ran = true; });
  EXPECT_TRUE(ran);
}

TEST_F(PendingJoinsTest, CountsOnlyRoomsTheCallerIsNotInYet) {
  caller_.EnterRoom("b", 0);
  AskJoin("a", "join");
  AskJoin("b", "join again");
  EXPECT_EQ(pending_.EnteringCount(caller_), 1U);
  caller_.EnterRoom("a", 0);
  pending_.Settle(caller_, "a");
  EXPECT_EQ(pending_.EnteringCount(caller_), 0U);
}

TEST_F(PendingJoinsTest, WithItsCallerGoneWhatWaitedIsAnsweredAndNotRun) {
  AskJoin("a", "join");
  Ask("a", "leave");
  Ask("a", "chat");
  pending_.Abandon(caller_, "a", NotInRoom("a"));
  EXPECT_THAT(ran_, ElementsAre("join"));
  EXPECT_THAT(refused_, ElementsAre("leave NOT_IN_ROOM", "chat NOT_IN_ROOM"));
  EXPECT_EQ(pending_.EnteringCount(caller_), 0U);
}

}  // namespace
}  // namespace msab
