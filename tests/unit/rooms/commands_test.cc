#include "server/rooms/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "tests/unit/rooms/rooms_fixture.h"

namespace msab {
namespace {

using ::testing::ElementsAre;

class CommandsTest : public RoomsFixture {
 protected:
  int64_t Count(std::string_view command, std::string_view outcome) {
    const auto& outcomes = CommandCounters::kOutcomes;
    const auto at = std::find(outcomes.begin(), outcomes.end(), outcome);
    EXPECT_NE(at, outcomes.end());
    return commands_->counters().Value(CommandCounters::CommandIndex(command),
                                       static_cast<size_t>(at - outcomes.begin()));
  }
};

TEST_F(CommandsTest, AnyOtherNameIsUnknown) {
  Client& anna = Connect("c1", 1);
  for (const char* event : {"room:kick", "", "balance.updated", "gift:received", "Room:join"}) {
    Ask(anna, event, "{}");
  }
  EXPECT_THAT(anna.journal, ElementsAre("UNKNOWN_EVENT", "UNKNOWN_EVENT", "UNKNOWN_EVENT",
                                        "UNKNOWN_EVENT", "UNKNOWN_EVENT"));
}

TEST_F(CommandsTest, CountsWhatWasAnsweredByNameAndOutcome) {
  Client& anna = Connect("c1", 1);
  Join(anna, "lobby");
  EXPECT_EQ(Count("room:join", "OK"), 0);
  Run();
  EXPECT_EQ(Count("room:join", "OK"), 1);
  Join(anna, "private-1");
  Join(anna, "a b");
  Chat(anna, "hall");
  Ask(anna, "gift:send", R"({"roomId":"lobby","giftId":7,"recipientId":2})");
  Ask(anna, "nonsense-1", "{}");
  Ask(anna, "nonsense-2", "{}");
  Run();
  EXPECT_EQ(Count("room:join", "ROOM_FORBIDDEN"), 1);
  EXPECT_EQ(Count("room:join", "INVALID_PAYLOAD"), 1);
  EXPECT_EQ(Count("chat:message", "NOT_IN_ROOM"), 1);
  EXPECT_EQ(Count("gift:send", "UPSTREAM_UNAVAILABLE"), 1);
  EXPECT_EQ(Count("other", "UNKNOWN_EVENT"), 2);
}

}  // namespace
}  // namespace msab
