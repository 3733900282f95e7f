// Who lives how long: connections that end while something of theirs is still under way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "boost/asio/post.hpp"
#include "tests/unit/shard/harness.h"

namespace msab::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Keeps what it is asked until the test answers.
class SlowCommands final : public CommandHandler {
 public:
  void Handle(const std::shared_ptr<Caller>& caller, std::string_view, const boost::json::value&,
              CommandReply reply) override {
    callers.push_back(caller);
    replies.push_back(std::move(reply));
  }
  void AuthorizeRooms(UserId, const std::string&, std::vector<std::string> rooms,
                      absl::AnyInvocable<void(AuthorizedRooms)> done) override {
    authorizations.emplace_back(std::move(rooms), std::move(done));
  }
  void AllowAll() {
    for (auto& [rooms, done] : std::exchange(authorizations, {})) done({Allowed(rooms)});
  }

  std::vector<std::shared_ptr<Caller>> callers;
  std::vector<CommandReply> replies;
  std::vector<std::pair<std::vector<std::string>, absl::AnyInvocable<void(AuthorizedRooms)>>>
      authorizations;
};

void WaitForLast(TestHouse& house) {
  house.Until([&] { return house.counters().connections.Value() == 0; }, "the last connection");
}

TEST(Lifetime, AnswersAConnectionThatIsGone) {
  SlowCommands commands;
  TestHouse house({}, &commands);
  auto client = Client::Live(house);
  client->wire().SendText(R"({"id":1,"event":"room:join","data":{}})");
  house.Until([&] { return !commands.replies.empty(); }, "the command");
  client->wire().Hangup();
  WaitForLast(house);
  // Its place is free, though the command holds it.
  EXPECT_EQ(house.limits().connections(), 0u);
  const std::weak_ptr<Caller> watched = commands.callers[0];
  commands.callers[0]->EnterRoom("42", 0);
  EXPECT_FALSE(commands.callers[0]->InRoom("42"));
  commands.replies[0]("{}");
  commands.replies.clear();
  commands.callers.clear();
  EXPECT_TRUE(watched.expired());
}

TEST(Lifetime, AuthorisesAConnectionThatIsGone) {
  SlowCommands commands;
  TestHouse house({}, &commands);
  auto client = std::make_unique<Client>(house, Login{.rooms = "42"});
  house.Until([&] { return !commands.authorizations.empty(); }, "the question");
  client->wire().Hangup();
  // It takes no input while it enters, so it learns of the end by itself.
  commands.AllowAll();
  WaitForLast(house);
  EXPECT_EQ(house.dispatcher().stats().connections, 0u);
}

TEST(Lifetime, LeavesTheRestOfTheHouseAloneWhenTheShardGoesFirst) {
  SlowCommands commands;
  auto house = std::make_unique<TestHouse>(HouseOptions{}, &commands);
  const auto waiting = std::make_unique<Client>(*house, Login{.rooms = "42"});
  const auto client = Client::Live(*house, {.user = 2});
  client->wire().SendText(R"({"id":1,"event":"room:join","data":{}})");
  house->Until([&] { return commands.authorizations.size() + commands.replies.size() == 2; },
               "the commands");
  // Answers that reach the inbox only, and entries beside them.
  commands.AllowAll();
  house->Emit(Durable(Target::Everyone()));
  commands.replies.clear();
  commands.callers.clear();
  house.reset();
}

// A read has brought a client's ping when the connection ends for another reason: Beast answers
// the ping nevertheless, and the answer must not bring the connection back.
TEST(Lifetime, EndsForGoodWhileBeastStillAnswers) {
  TestHouse house;
  const auto client = Client::Live(house);
  client->wire().SendFrame(WsClient::kPing, "x");
  // As on a busy shard: the read's completion waits behind two turns' work.
  for (int i = 0; i < 600; ++i) net::post(house.shard().io(), [] {});
  house.Turn();
  house.shard().AbortAll();
  house.Settle();
  EXPECT_EQ(house.shard().connection_count(), 0u);
  const auto next = Client::Live(house);
  EXPECT_THAT(next->Texts(), IsEmpty());
}

// The same with a close frame.
TEST(Lifetime, EndsForGoodWhileTheClientCloses) {
  TestHouse house;
  const auto client = Client::Live(house);
  client->wire().SendFrame(WsClient::kClose, WsClient::ClosePayload(1000));
  for (int i = 0; i < 600; ++i) net::post(house.shard().io(), [] {});
  house.Turn();
  house.shard().AbortAll();
  house.Settle();
  EXPECT_EQ(house.shard().connection_count(), 0u);
  EXPECT_EQ(house.counters().connections.Value(), 0);
}

// A client that sends pings and reads nothing: Beast's pong waits for the outbox to be empty. The
// wait must not keep the connection when it ends.
TEST(Lifetime, LetsGoOfAConnectionWhosePongWaits) {
  SlowCommands commands;
  HouseOptions options;
  TestHouse house(options, &commands);
  const auto client = Client::Live(house, {}, 0, 4096);
  client->wire().SendText(R"({"id":1,"event":"room:join","data":{}})");
  house.Until([&] { return !commands.callers.empty(); }, "the command");
  const std::weak_ptr<Caller> watched = commands.callers[0];
  commands.callers.clear();
  commands.replies.clear();

  // Until the kernel takes no more, and then some: less than the high-water mark.
  const std::string payload = "{\"x\":\"" + std::string(30'000, 'x') + "\"}";
  int64_t written = -1;
  while (written != house.counters().bytes_written.Value()) {
    written = house.counters().bytes_written.Value();
    house.Emit(Durable(Target::User(1), payload));
    house.Settle();
  }
  for (int i = 0; i < 6; ++i) house.Emit(Durable(Target::User(1), payload));
  house.Settle();
  client->wire().SendFrame(WsClient::kPing, "x");
  house.Settle();
  ASSERT_EQ(house.counters().sessions.Value(), 1);
  EXPECT_FALSE(watched.expired());
  house.shard().AbortAll();
  house.Settle();
  EXPECT_TRUE(watched.expired());
}

// And when it does not end, the pong comes, in its order.
TEST(Lifetime, SendsAWaitingPongOnceTheClientReads) {
  TestHouse house;
  const auto client = Client::Live(house, {}, 0, 4096);
  const std::string payload = "{\"x\":\"" + std::string(30'000, 'x') + "\"}";
  for (int i = 0; i < 20; ++i) {
    house.Emit(Durable(Target::User(1), payload));
    house.Settle();
  }
  client->wire().SendFrame(WsClient::kPing, "abc");
  client->wire().SendFrame(WsClient::kPing, "def");
  house.Settle();
  const auto pongs = [&] {
    client->wire().Pump();
    int n = 0;
    for (const WsClient::Frame& frame : client->wire().frames()) {
      n += (frame.first & 0x0f) == WsClient::kPong;
    }
    return n;
  };
  house.Until([&] { return pongs() == 2; }, "both pongs");
  EXPECT_EQ(client->wire().frames().back().payload, "def");
}

TEST(Lifetime, CountsBrokenFramingThoughThePeerNeverHangsUp) {
  TestHouse house;
  const auto client = Client::Live(house);
  client->wire().Send("\x81\x01x");  // unmasked
  house.Until([&] { return house.counters().sessions.Value() == 0; }, "the session's end");
  EXPECT_EQ(house.counters().connections.Value(), 1);
  house.Pass(6'000);
  WaitForLast(house);
  const auto cause = static_cast<size_t>(CloseCause::kProtocolError);
  EXPECT_EQ(house.counters().closed[cause].Value(), 1);
}

TEST(Lifetime, EndsEveryStageAtOnceWhenTheShardDoes) {
  auto house = std::make_unique<TestHouse>();
  const WsClient silent(house->shard().port());
  WsClient half(house->shard().port());
  half.Send("GET /ws HTTP/1.1\r\nHost:");
  const Client waiting(*house, Login{.bare = true});
  const auto live = Client::Live(*house);
  WsClient refused(house->shard().port());
  refused.Send("GET /nowhere HTTP/1.1\r\n\r\n");
  const auto closing = Client::Live(*house, {.user = 9});
  closing->wire().SendFrame(WsClient::kBinary, "");
  house->Settle();
  EXPECT_GE(house->shard().connection_count(), 5u);
  house.reset();
}

}  // namespace
}  // namespace msab::test
