// Socket.IO sessions in a house of two shards: what a recovery does to the connection it goes on
// from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "tests/unit/shard/harness.h"

namespace msab::test {
namespace {

using ::testing::HasSubstr;

// A client by hand.
class Peer {
 public:
  Peer(TestHouse& house, int shard, UserId user, const std::string& pid = "")
      : house_(house), wire_(house.shard(shard).port()) {
    wire_.Send(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: relay\r\nConnection: "
        "Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    EXPECT_THAT(Next(), HasSubstr("0{"));
    Connect(user, pid);
  }

  void Connect(UserId user, const std::string& pid) {
    Say(absl::StrCat(R"(40{"token":")", house_.Token(user), "\"",
                     pid.empty() ? "" : absl::StrCat(R"(,"pid":")", pid, "\""), "}"));
  }
  // Reads the answer to CONNECT.
  void Welcomed() {
    const std::string answer = Next();
    ASSERT_THAT(answer, HasSubstr("40{"));
    const boost::json::value ids = boost::json::parse(answer.substr(2));
    sid = std::string(ids.at("sid").as_string());
    pid = std::string(ids.at("pid").as_string());
  }
  void Say(const std::string& text) { EXPECT_TRUE(wire_.SendText(text)); }
  // The next text; the relay's heartbeats are passed over.
  std::string Next() {
    while (true) {
      house_.Until([this] { return !Frames().empty() || wire_.ended(); }, "a frame");
      if (wire_.frames().empty()) return "";
      const WsClient::Frame frame = wire_.frames().front();
      if (frame.first != 0x81) return "";
      wire_.frames().pop_front();
      if (frame.payload != "2") return frame.payload;
    }
  }
  // The close frame's code, when it comes.
  uint16_t Closed() {
    house_.Until([this] { return !Frames().empty() || wire_.ended(); }, "a close frame");
    if (wire_.frames().empty()) return 0;
    const WsClient::Frame& frame = wire_.frames().front();
    if ((frame.first & 0x0f) != WsClient::kClose) return 0;
    return static_cast<uint16_t>(static_cast<uint8_t>(frame.payload[0]) << 8 |
                                 static_cast<uint8_t>(frame.payload[1]));
  }

  std::string sid;
  std::string pid;

 private:
  std::deque<WsClient::Frame>& Frames() {
    wire_.Pump();
    return wire_.frames();
  }

  TestHouse& house_;
  WsClient wire_;
};

class SocketIoTest : public ::testing::Test {
 protected:
  SocketIoTest() {
    HouseOptions options;
    options.shards = 2;
    options.dispatcher.max_per_user = 1;  // the old connection's place is the new one's
    options.dispatcher.leave_grace_ms = 5'000;
    house_ = std::make_unique<TestHouse>(options);
  }
  TestHouse& house() { return *house_; }
  std::unique_ptr<Peer> Enter(int shard, UserId user, const std::string& pid = "") {
    auto peer = std::make_unique<Peer>(house(), shard, user, pid);
    peer->Welcomed();
    return peer;
  }
  int64_t Closed(CloseCause cause) {
    int64_t closed = 0;
    for (int i = 0; i < 2; ++i)
      closed += house().counters(i).closed[static_cast<size_t>(cause)].Value();
    return closed;
  }

 private:
  std::unique_ptr<TestHouse> house_;
};

TEST_F(SocketIoTest, TakesItsIdOverFromAConnectionOfAnotherShard) {
  for (const int other : {1, 0}) {
    const UserId user = 10 + other;
    const auto old = Enter(0, user);
    old->Say(R"(420["room:join",{"roomId":"r"}])");
    EXPECT_THAT(old->Next(), HasSubstr("success"));
    house().Emit(Durable(Target::User(user), R"({"n":1})"));
    const auto fresh = Enter(other, user, old->pid);
    EXPECT_EQ(fresh->sid, old->sid);
    EXPECT_EQ(fresh->pid, old->pid);
    EXPECT_EQ(house().dispatcher().stats().connections, 1u);
    // What the old one had in its hands is not known to have arrived.
    EXPECT_THAT(fresh->Next(), HasSubstr(R"({"n":1})"));
    EXPECT_THAT(old->Next(), HasSubstr(R"({"n":1})"));
    EXPECT_EQ(old->Closed(), 1000) << "without a packet";
    // The new one is whole: in its room, and the only one of its user.
    const Dispatched sent = house().Emit(Durable(Target::Room("r"), R"({"n":2})"));
    EXPECT_EQ(sent.recipients.connections, 1u);
    EXPECT_THAT(fresh->Next(), HasSubstr(R"({"n":2})"));
    fresh->Say("41");
    house().Until([&] { return house().dispatcher().stats().connections == 0; }, "its goodbye");
  }
  // Counted once the old clients have hung up.
  house().Until([&] { return Closed(CloseCause::kSuperseded) == 2; }, "both to be counted");
}

// The old one's pings are not answered, its departure's grace passes: nothing of it touches the
// new.
TEST_F(SocketIoTest, HearsNothingMoreOfTheOldConnection) {
  const auto old = Enter(0, 1);
  old->Say(R"(420["room:join",{"roomId":"r"}])");
  EXPECT_THAT(old->Next(), HasSubstr("success"));
  auto fresh = Enter(1, 1, old->pid);
  for (int i = 0; i < 20; ++i) {
    house().Pass(10'000);
    house().dispatcher().SweepDepartures();
    fresh->Say("3");
    house().Settle();
  }
  EXPECT_EQ(house().dispatcher().stats().rooms, 1u) << "its user never left";
  EXPECT_EQ(Closed(CloseCause::kNoPong), 0);
  EXPECT_EQ(house().resumes().usage().held, 1u);
  const auto again = Enter(0, 1, fresh->pid);
  EXPECT_EQ(again->sid, old->sid);
}

// Three connections of one client at once, the last to claim has the session, whoever comes first
// to the register.
TEST_F(SocketIoTest, BelongsToTheLastThatClaimsIt) {
  const auto first = Enter(0, 1);
  Peer second(house(), 1, 1, first->pid);
  Peer third(house(), 0, 1, first->pid);
  house().Settle();
  int live = 0;
  for (Peer* peer : {&second, &third}) {
    const std::string answer = peer->Next();
    if (answer.empty()) continue;
    EXPECT_THAT(answer, HasSubstr(first->sid));
    ++live;
  }
  EXPECT_GE(live, 1);
  EXPECT_EQ(house().dispatcher().stats().connections, 1u);
  EXPECT_EQ(house().resumes().usage().held, 1u);
  house().Emit(Durable(Target::User(1)));
  EXPECT_EQ(first->Closed(), 1000);
}

TEST_F(SocketIoTest, ReleasesItsRecordWhenItsConnectionIsLost) {
  std::string pid;
  {
    const auto lost = Enter(0, 1);
    pid = lost->pid;
  }
  house().Until([&] { return house().resumes().usage().released == 1; }, "the record to be let go");
  house().Pass(MemoryResumeStore::Options().max_age_ms - 1'000, 60'000);
  EXPECT_EQ(Enter(1, 1, pid)->pid, pid);
  house().Until([&] { return house().resumes().usage().released == 1; }, "the record again");
  house().Pass(MemoryResumeStore::Options().max_age_ms + 1'000, 60'000);
  EXPECT_NE(Enter(1, 1, pid)->pid, pid);
}

}  // namespace
}  // namespace msab::test
