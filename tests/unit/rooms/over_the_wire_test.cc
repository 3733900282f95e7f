// Client commands through real sessions on real sockets: what a client may send in one breath.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/shard/harness.h"

namespace msab::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class OverTheWire : public ::testing::TestWithParam<int> {
 protected:
  OverTheWire() : house_(Options()) {}

  static HouseOptions Options() {
    HouseOptions options;
    options.shards = GetParam();
    return options;
  }

  // A client on the last shard; the others are on the first.
  std::unique_ptr<Client> Far(UserId user, const std::string& rooms = "") {
    return Client::Live(house_, {.user = user, .rooms = rooms}, GetParam() - 1);
  }
  static void Send(Client& client, int id, std::string_view event, std::string_view data) {
    client.wire().SendText(absl::StrCat(R"({"id":)", id, R"(,"event":")", std::string(event),
                                        R"(","data":)", std::string(data), "}"));
  }

  TestHouse house_;
};

TEST_P(OverTheWire, JoinChatLeaveInOneBreath) {
  const auto watcher = Client::Live(house_, {.user = 9, .rooms = "lobby"});
  const auto anna = Far(1);
  Send(*anna, 1, "room:join", R"({"roomId":"lobby"})");
  Send(*anna, 2, "chat:message", R"({"roomId":"lobby","content":"hi"})");
  Send(*anna, 3, "room:leave", R"({"roomId":"lobby"})");
  EXPECT_THAT(watcher->Next(), HasSubstr("room:userJoined"));
  EXPECT_THAT(watcher->Next(), AllOf(HasSubstr("chat:message"), HasSubstr(R"("content":"hi")")));
  EXPECT_THAT(watcher->Next(), HasSubstr("room:userLeft"));
  EXPECT_THAT(anna->Next(), HasSubstr(R"({"reply":1,"ok":true)"));
  // Whether her own copy comes before she has left is the sockets' affair.
  std::vector<std::string> rest = anna->Texts();
  std::erase_if(rest, [](const std::string& text) { return !StringIn(text, "event").empty(); });
  EXPECT_THAT(rest, UnorderedElementsAre(HasSubstr(R"({"reply":2,"ok":true)"),
                                         HasSubstr(R"({"reply":3,"ok":true)")));
  watcher->Ask("chat:message", R"({"roomId":"lobby","content":"gone?"})");
  EXPECT_TRUE(anna->Texts().empty());
}

TEST_P(OverTheWire, AJoinAndAHangupLeaveNobodyBehind) {
  const auto watcher = Client::Live(house_, {.user = 9, .rooms = "lobby"});
  auto anna = Far(1);
  Send(*anna, 1, "room:join", R"({"roomId":"lobby"})");
  Send(*anna, 2, "room:leave", R"({"roomId":"lobby"})");
  Send(*anna, 3, "room:join", R"({"roomId":"lobby"})");
  anna->wire().Hangup();
  house_.Until([this] { return house_.dispatcher().stats().connections == 1; }, "the end");
  house_.Pass(20'000);
  house_.dispatcher().SweepDepartures();
  const std::string snapshot = watcher->Ask("room:join", R"({"roomId":"lobby"})");
  EXPECT_THAT(snapshot, HasSubstr(R"("participants":[{"id":9,)"));
  EXPECT_THAT(snapshot, Not(HasSubstr(R"({"id":1,)")));
}

TEST_P(OverTheWire, ARefusedGiftReachesEveryTab) {
  const auto anna = Client::Live(house_, {.user = 1, .rooms = "lobby"});
  const auto tab = Far(1);
  const std::string answer = anna->Ask(
      "gift:send", R"({"roomId":"lobby","giftId":7,"recipientId":2,"transactionId":"t1"})");
  EXPECT_THAT(answer, AllOf(HasSubstr(R"("ok":false)"), HasSubstr("UPSTREAM_UNAVAILABLE")));
  EXPECT_THAT(anna->Next(), HasSubstr("gift:error"));
  EXPECT_THAT(tab->Next(), AllOf(HasSubstr("gift:error"), HasSubstr(R"("transactionId":"t1")")));
}

TEST_P(OverTheWire, ARepeatedChatIsShownOnce) {
  const auto anna = Client::Live(house_, {.user = 1, .rooms = "lobby"});
  const auto tab = Far(1, "lobby");
  const std::string data = R"({"roomId":"lobby","content":"hi","clientId":"k1"})";
  const std::string first = anna->Ask("chat:message", data);
  const std::string again = tab->Ask("chat:message", data);
  EXPECT_EQ(first.substr(first.find(R"("data")")), again.substr(again.find(R"("data")")));
  EXPECT_THAT(anna->Next(), HasSubstr("chat:message"));
  EXPECT_TRUE(anna->Texts().empty());
}

INSTANTIATE_TEST_SUITE_P(Shards, OverTheWire, ::testing::Values(1, 2));

}  // namespace
}  // namespace msab::test
