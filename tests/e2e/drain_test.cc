// SIGTERM under load: nothing accepted is lost, everybody is told when to come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <regex>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/grpc_door.h"
#include "tests/e2e/harness/raw_socket.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

constexpr int kDraining = 4003;

class DrainTest : public RelayTest {
 protected:
  // The next HTTP answer is 503 and says when to come back.
  static void ExpectLater(RawSocket& socket) {
    const size_t end = socket.ReadThrough("\r\n\r\n");
    ASSERT_NE(end, std::string::npos);
    const HttpResponse response = ParseHttpHead(socket.Take(end));
    EXPECT_EQ(response.status, 503);
    EXPECT_THAT(response.headers, testing::Contains(testing::Key("retry-after")));
  }
  void ExpectNoUpgrade(const std::string& target) {
    RawSocket socket(relay().host(), relay().ws_port());
    socket.Send(absl::StrCat(
        "GET ", target,
        " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
    ExpectLater(socket);
  }
};

TEST_F(DrainTest, LosesNothingAccepted) {
  constexpr int kClients = 20;
  Start({.settings = {{"drain.timeout", "4s"}}});
  std::vector<Client> clients;
  for (int64_t user = 101; user < 101 + kClients; ++user) clients.push_back(Connect(user, {"42"}));
  std::vector<Client*> pointers;
  for (Client& client : clients) pointers.push_back(&client);
  Fence(pointers);

  std::vector<std::future<std::vector<Json>>> readers;
  for (Client& client : clients) {
    readers.push_back(std::async(std::launch::async, [&client] {
      std::vector<Json> frames;
      for (Json frame = client.Next(); !frame.is_null(); frame = client.Next()) {
        frames.push_back(std::move(frame));
      }
      return frames;
    }));
  }
  std::atomic<bool> loaded{false};
  // Emits until it is refused; the last number accepted, and the refusal.
  auto emitter = std::async(std::launch::async, [&] {
    const auto way = OpenDoor(DoorKind::kGrpc, relay());
    for (int64_t number = 1;; ++number) {
      Answer answer = way->Emit(absl::StrCat(R"({"room_level_up":{"room_id":42,"new_level":)",
                                             number, R"(,"new_room_xp":"1"}})"));
      if (!answer.ok()) return std::make_pair(number - 1, answer);
      if (number == 200) loaded = true;
    }
  });
  ASSERT_TRUE(Await([&] { return loaded.load(); }));
  const SteadyTime begun = std::chrono::steady_clock::now();
  relay().Terminate();
  const auto [accepted, refusal] = emitter.get();
  EXPECT_EQ(refusal.code, kUnavailable) << testing::PrintToString(refusal);
  EXPECT_TRUE(refusal.retry_ms.has_value());
  EXPECT_EQ(Fetch(relay().host(), relay().http_port(), "GET", "/readyz").status, 503);
  EXPECT_EQ(Fetch(relay().host(), relay().http_port(), "GET", "/healthz").status, 200);
  ExpectNoUpgrade("/ws");
  ExpectNoUpgrade("/socket.io/?EIO=4&transport=websocket");

  std::set<std::string> delays;
  for (int i = 0; i < kClients; ++i) {
    const std::vector<Json> frames = readers[i].get();
    EXPECT_EQ(clients[i].CloseCode(), kDraining);
    const std::string reason = clients[i].CloseReason();
    std::smatch match;
    ASSERT_TRUE(std::regex_search(reason, match, std::regex("^draining: retry_after_ms=([0-9]+)$")))
        << reason;
    delays.insert(match[1]);
    // Every accepted event reached everybody: the closes begin after the last of them.
    int64_t last = 0;
    for (const Json& frame : frames) {
      EXPECT_EQ(Text(frame, "event"), "room.level_up") << frame;
      EXPECT_EQ(Number(At(frame, "data"), "new_level"), last + 1);
      last = Number(At(frame, "data"), "new_level");
    }
    EXPECT_EQ(last, accepted) << "client " << i;
  }
  EXPECT_GT(delays.size(), 1U) << "they must not all come back at once";
  EXPECT_EQ(relay().WaitForExit(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, Millis(4'000) + Millis(2'000));
}

TEST_F(DrainTest, AnswersWhatIsInAnOpenStreamAndEndsIt) {
  Start({.settings = {{"drain.timeout", "4s"}}});
  Client client = Connect(101);
  GrpcDoor grpc(relay().grpc_address());
  const auto stream = grpc.OpenStream();
  stream->Write(Marker(101, 1));
  ASSERT_TRUE(stream->Read().has_value());
  relay().Terminate();
  // The stream goes on until an item is refused, or it is ended: never without a word.
  int64_t number = 2;
  while (stream->Write(Marker(101, number))) {
    const std::optional<Answer> answer = stream->Read();
    if (!answer.has_value()) break;
    if (!answer->ok()) {
      EXPECT_EQ(answer->code, kUnavailable);
      EXPECT_TRUE(answer->retry_ms.has_value());
      break;
    }
    ++number;
  }
  while (stream->Read().has_value()) {
  }
  const Answer end = stream->Finish();
  EXPECT_TRUE(end.ok() || end.code == kUnavailable) << testing::PrintToString(end);
  EXPECT_EQ(client.CloseCode(), kDraining);
  EXPECT_EQ(relay().WaitForExit(), 0);
}

TEST_F(DrainTest, TheTwinRefusesWithARetryToo) {
  Start({.settings = {{"drain.timeout", "10s"}}});
  Client client = Connect(101);
  relay().Terminate();
  const auto twin = OpenDoor(DoorKind::kTwin, relay());
  Answer answer;
  ASSERT_TRUE(Await([&] {
    answer = twin->Emit(Marker(102, 1));
    return !answer.ok();
  }));
  EXPECT_EQ(answer.code, kUnavailable);
  EXPECT_EQ(answer.http_status, 503);
  EXPECT_TRUE(answer.retry_ms.has_value());
  EXPECT_THAT(answer.headers, testing::Contains(testing::Key("retry-after")));
  EXPECT_EQ(client.CloseCode(), kDraining);
  EXPECT_EQ(relay().WaitForExit(), 0);
}

TEST_F(DrainTest, WithNobodyThereItEndsAtOnce) {
  Start({.settings = {{"drain.timeout", "60s"}}});
  relay().Terminate();
  EXPECT_EQ(relay().WaitForExit(Millis(15'000)), 0);
}

TEST_F(DrainTest, WhoIsHalfWayThroughARequestIsToldToComeLater) {
  Start({.settings = {{"drain.timeout", "2s"}, {"ws.auth_timeout", "60s"}}});
  RawSocket half(relay().host(), relay().ws_port());
  ASSERT_TRUE(half.Send("GET /ws HTTP/1.1\r\nHost:"));
  ASSERT_TRUE(Await([this] { return relay().Metric("msab_connections") == 1; }));
  relay().Terminate();
  ExpectLater(half);
  EXPECT_TRUE(half.ReadToEnd());
  half.FinishSending();
  EXPECT_EQ(relay().WaitForExit(), 0);
}

TEST_F(DrainTest, AClientThatNeverReadsDoesNotHoldItUp) {
  Start({.settings = {{"drain.timeout", "2s"}}});
  Client deaf = Connect(101);
  relay().Terminate();
  EXPECT_EQ(relay().WaitForExit(), 0);
}

TEST_F(DrainTest, WhoComesBackAfterARestartIsToldOfTheGap) {
  Start({.settings = {{"drain.timeout", "2s"}}});
  Client client = Connect(101);
  const std::string cursor = Emit(Marker(101, 1)).cursor;
  relay().Terminate();
  EXPECT_EQ(client.CloseCode(), kDraining);
  EXPECT_EQ(relay().WaitForExit(), 0);
  relay().Restart();
  Client again = Open({.token = UserToken(101), .cursor = cursor});
  EXPECT_EQ(Text(again.Welcome(), "gap"), "epoch");
}

}  // namespace
}  // namespace msab::e2e
