// A shard whose relay drains: everybody is told, whatever their connection is at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "boost/asio/post.hpp"
#include "tests/unit/shard/harness.h"

namespace msab::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kUpgrade[] =
    " HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

class DrainTest : public ::testing::Test {
 protected:
  // What comes until the connection ends, or a close frame.
  static bool Over(WsClient& client) {
    client.Pump();
    return client.ended() ||
           (!client.frames().empty() && (client.frames().back().first & 0x0f) == WsClient::kClose);
  }
  void ExpectLater(WsClient& client) {
    house_.Until([&] { return Over(client); }, "an answer");
    EXPECT_THAT(client.head(), StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(client.head(), HasSubstr("\r\nRetry-After: 5\r\n"));
    EXPECT_FALSE(client.reset());
  }
  int64_t Refused(DoorRefusal reason) {
    return house_.counters().refused[static_cast<size_t>(reason)].Value();
  }
  // Every connection's turn to leave has come.
  void DrainAll() {
    house_.shard().BeginDrain(1'000);
    house_.Pass(1'100, 100);
  }

  TestHouse house_;
};

TEST_F(DrainTest, AnswersWhoHasNotSentAllOfItsRequest) {
  WsClient silent(house_.shard().port());
  WsClient half(house_.shard().port());
  half.Send("GET /ws HTTP/1.1\r\nHost:");
  house_.Until([this] { return house_.shard().connection_count() == 2; }, "both");
  house_.Settle();
  DrainAll();
  ExpectLater(silent);
  ExpectLater(half);
  EXPECT_EQ(Refused(DoorRefusal::kDraining), 2);
  silent.Hangup();
  half.Send(" relay\r\n\r\n");  // too late, and no trouble
  half.HalfClose();
  house_.Until([this] { return house_.shard().connection_count() == 0; }, "their ends");
}

TEST_F(DrainTest, RefusesWhoseRequestCameTooLate) {
  WsClient late(house_.shard().port());
  late.Send("GET /ws");
  house_.Until([this] { return house_.shard().connection_count() == 1; }, "it");
  house_.Settle();
  house_.shard().BeginDrain(60'000);  // its own turn is far away
  late.Send(kUpgrade);
  ExpectLater(late);
}

TEST_F(DrainTest, WaitsForNobodyWhoNeverHangsUp) {
  WsClient silent(house_.shard().port());
  house_.Until([this] { return house_.shard().connection_count() == 1; }, "it");
  DrainAll();
  ExpectLater(silent);
  EXPECT_EQ(house_.shard().connection_count(), 1u);
  house_.Pass(6'000);
  EXPECT_EQ(house_.shard().connection_count(), 0u);
  EXPECT_EQ(Refused(DoorRefusal::kTimeout), 0);
}

// So much else to do that each step of an upgrade takes several turns.
class Busy {
 public:
  explicit Busy(Shard& shard) : io_(shard.io()) {
    for (int i = 0; i < 1'000; ++i) Go();
  }
  ~Busy() {
    over_ = true;
    while (waiting_ > 0) io_.poll_one();
  }

 private:
  void Go() {
    ++waiting_;
    net::post(io_, [this] {
      --waiting_;
      if (!over_) Go();
    });
  }

  net::io_context& io_;
  int waiting_ = 0;
  bool over_ = false;
};

// Whatever the upgrade is at when its connection's turn comes: it is either refused, or the session
// opens, and then is told. Never a 101 and nothing more, upon which socket.io-client waits for 20
// s.
TEST_F(DrainTest, LeavesNoUpgradeHalfWay) {
  int refused = 0;
  int opened = 0;
  for (int turns = 0; turns < 24; ++turns) {
    TestHouse house;
    WsClient client(house.shard().port());
    house.Until([&] { return house.shard().connection_count() == 1; }, "it");
    house.Settle();
    const Busy busy(house.shard());
    client.Send(absl::StrCat("GET /socket.io/?EIO=4&transport=websocket", kUpgrade));
    for (int i = 0; i < turns; ++i) house.Turn();
    house.shard().BeginDrain(1);
    house.clock().Advance(100);
    house.Until([&] { return Over(client); }, "an answer");
    if (client.head().starts_with("HTTP/1.1 503 ")) {
      ++refused;
      continue;
    }
    ++opened;
    ASSERT_THAT(client.head(), StartsWith("HTTP/1.1 101 ")) << turns;
    ASSERT_EQ(client.frames().size(), 2u) << turns;
    EXPECT_THAT(client.frames()[0].payload, StartsWith("0{")) << turns;
    EXPECT_EQ(client.frames()[1].payload.substr(0, 2), WsClient::ClosePayload(4003)) << turns;
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(opened, 0);
}

}  // namespace
}  // namespace msab::test
