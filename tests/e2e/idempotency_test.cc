// One event id, one event: however often, however fast and through whichever door it comes.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/grpc_door.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

std::string WithId(const std::string& id, const std::string& request) {
  return absl::StrCat(R"({"event_id":)", Quoted(id), ",", request.substr(1));
}

// Same in all that a repeat must repeat.
void ExpectSameResult(const Answer& first, const Answer& repeat) {
  EXPECT_TRUE(repeat.ok()) << testing::PrintToString(repeat);
  EXPECT_TRUE(repeat.duplicate);
  EXPECT_EQ(repeat.event_id, first.event_id);
  EXPECT_EQ(repeat.cursor, first.cursor);
  EXPECT_EQ(repeat.users_targeted, first.users_targeted);
  EXPECT_EQ(repeat.users_online, first.users_online);
  EXPECT_EQ(repeat.connections, first.connections);
}

class IdempotencyTest : public RelayTest, public testing::WithParamInterface<DoorKind> {
 protected:
  std::unique_ptr<Door> ThisDoor() { return OpenDoor(GetParam(), relay()); }
  std::unique_ptr<Door> OtherDoor() {
    return OpenDoor(GetParam() == DoorKind::kGrpc ? DoorKind::kTwin : DoorKind::kGrpc, relay());
  }
};

INSTANTIATE_TEST_SUITE_P(Doors, IdempotencyTest, testing::Values(DoorKind::kGrpc, DoorKind::kTwin),
                         [](const auto& info) { return DoorName(info.param); });

TEST_P(IdempotencyTest, ARepeatGetsTheFirstResultAndIsNotDelivered) {
  Client client = Connect(101);
  const std::string request = WithId("order-7", Marker(101, 1));
  const Answer first = ThisDoor()->Emit(request);
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(first.duplicate);
  EXPECT_EQ(first.event_id, "order-7");
  Client late = Connect(101);  // the repeat must not count it
  ExpectSameResult(first, ThisDoor()->Emit(request));
  ExpectSameResult(first, OtherDoor()->Emit(request));
  const std::vector<Answer> batch = OtherDoor()->EmitBatch({request, request});
  ASSERT_EQ(batch.size(), 2U);
  for (const Answer& answer : batch) ExpectSameResult(first, answer);
  const Received received = Fence({&client, &late});
  EXPECT_EQ(received[0].size(), 1U);
  EXPECT_TRUE(received[1].empty());
}

TEST_P(IdempotencyTest, OfConcurrentRepeatsOneCounts) {
  Client client = Connect(101);
  for (int round = 0; round < 10; ++round) {
    const std::string request = WithId(absl::StrCat("race-", round), Marker(101, round + 1));
    std::vector<std::future<Answer>> callers;
    for (int i = 0; i < 8; ++i) {
      callers.push_back(std::async(std::launch::async, [this, i, &request] {
        return (i % 2 == 0 ? ThisDoor() : OtherDoor())->Emit(request);
      }));
    }
    int firsts = 0;
    std::set<std::string> cursors;
    for (auto& caller : callers) {
      const Answer answer = caller.get();
      EXPECT_TRUE(answer.ok()) << testing::PrintToString(answer);
      firsts += answer.duplicate ? 0 : 1;
      cursors.insert(answer.cursor);
    }
    EXPECT_EQ(firsts, 1);
    EXPECT_EQ(cursors.size(), 1U);
  }
  const Received received = Fence({&client});
  ASSERT_EQ(received[0].size(), 10U);
  for (int round = 0; round < 10; ++round) EXPECT_EQ(MarkerNumber(received[0][round]), round + 1);
}

TEST_P(IdempotencyTest, ARepeatInsideOneBatchIsARepeat) {
  const std::string request = WithId("twice", Marker(101, 1));
  const std::vector<Answer> answers = ThisDoor()->EmitBatch({request, request});
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_TRUE(answers[0].ok());
  EXPECT_FALSE(answers[0].duplicate);
  ExpectSameResult(answers[0], answers[1]);
}

TEST_P(IdempotencyTest, TheSameIdForAnythingElseIsRefused) {
  Client client = Connect(101);
  const std::string body = R"("agency_dissolved":{"agency_id":1,"agency_name":"A"}})";
  const std::string first = R"({"event_id":"id-1","target":{"user_id":101},)" + body;
  ASSERT_TRUE(ThisDoor()->Emit(first).ok());
  for (const std::string& other : {
           // another event, payload, target, occurred_at, ttl
           std::string(R"({"event_id":"id-1","balance_updated":{"user_id":101}})"),
           std::string(R"({"event_id":"id-1","target":{"user_id":101},)"
                       R"("agency_dissolved":{"agency_id":2,"agency_name":"A"}})"),
           R"({"event_id":"id-1","target":{"user_id":102},)" + body,
           R"({"event_id":"id-1","target":{"user_ids":{"ids":[101,102]}},)" + body,
           R"({"event_id":"id-1","occurred_at":"2026-01-01T00:00:00Z","target":{"user_id":101},)" +
               body,
           R"({"event_id":"id-1","ttl":"1000s","target":{"user_id":101},)" + body,
       }) {
    EXPECT_EQ(ThisDoor()->Emit(other).code, kAlreadyExists) << other;
    EXPECT_EQ(OtherDoor()->Emit(other).code, kAlreadyExists) << other;
  }
  EXPECT_TRUE(OtherDoor()->Emit(first).duplicate) << "a refused repeat changes nothing";
  EXPECT_EQ(Fence({&client})[0].size(), 1U);
}

TEST_P(IdempotencyTest, ARefusedEmitDoesNotUseUpItsId) {
  EXPECT_EQ(ThisDoor()->Emit(R"({"event_id":"id-2","balance_updated":{"user_id":0}})").code,
            kInvalidArgument);
  const Answer answer = ThisDoor()->Emit(R"({"event_id":"id-2","balance_updated":{"user_id":1}})");
  EXPECT_TRUE(answer.ok());
  EXPECT_FALSE(answer.duplicate);
}

TEST_P(IdempotencyTest, AnIdIsMintedWhereNoneIsGiven) {
  std::set<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    const Answer answer = ThisDoor()->Emit(Marker(101, 1));
    ASSERT_TRUE(answer.ok());
    EXPECT_FALSE(answer.duplicate);
    EXPECT_FALSE(answer.event_id.empty());
    ids.insert(answer.event_id);
  }
  EXPECT_EQ(ids.size(), 5U);
}

TEST_P(IdempotencyTest, AnIdHas1To128Bytes) {
  EXPECT_TRUE(ThisDoor()->Emit(WithId(std::string(128, 'x'), Marker(101, 1))).ok());
  EXPECT_EQ(ThisDoor()->Emit(WithId(std::string(129, 'x'), Marker(101, 1))).code, kInvalidArgument);
  EXPECT_EQ(ThisDoor()->Emit(WithId("", Marker(101, 1))).code, kInvalidArgument);
}

TEST_P(IdempotencyTest, AnExpiredOrSupersededResultIsRepeatedToo) {
  const std::string late =
      R"({"event_id":"late","target":{"user_id":101},"occurred_at":"2026-01-01T00:00:00Z",)"
      R"("ttl":"1s","agency_dissolved":{"agency_id":1,"agency_name":"A"}})";
  EXPECT_TRUE(ThisDoor()->Emit(late).expired);
  const Answer repeat = OtherDoor()->Emit(late);
  EXPECT_TRUE(repeat.expired);
  EXPECT_TRUE(repeat.duplicate);
}

// Ids are forgotten a window after they were last heard of. Each look uses up one of many ids, as a
// repeat of it would begin its window anew.
TEST_P(IdempotencyTest, AnIdIsForgottenAfterItsWindowWhichARepeatExtends) {
  constexpr int kIds = 1'000;
  constexpr Millis kWindow{2'000};
  const auto now = [] { return std::chrono::steady_clock::now(); };
  Start({.settings = {{"idempotency.window", "2s"}}});
  const auto way = ThisDoor();
  std::vector<std::string> requests;
  requests.reserve(kIds);
  for (int i = 1; i <= kIds; ++i) {
    requests.push_back(WithId(absl::StrCat("once-", i), Marker(102, i)));
  }
  const SteadyTime begun = now();
  for (const Answer& answer : way->EmitBatch(requests)) {
    ASSERT_TRUE(answer.ok());
    ASSERT_FALSE(answer.duplicate);
  }
  const std::string kept = WithId("kept", Marker(101, 1));
  SteadyTime first = now();
  SteadyTime heard = first;
  ASSERT_FALSE(way->Emit(kept).duplicate);
  bool extended = false;
  size_t looks = 0;
  Answer again;
  ASSERT_TRUE(Await([&] {
    const SteadyTime sent = now();
    const Answer repeat = way->Emit(kept);
    EXPECT_TRUE(repeat.ok());
    if (repeat.duplicate) {
      extended = extended || sent - first > kWindow;
    } else {
      EXPECT_GE(now() - heard, kWindow) << "forgotten, although this test was not that slow";
      first = sent;
    }
    heard = sent;
    again = way->Emit(requests[looks++]);
    return (extended && !again.duplicate) || looks == requests.size();
  }));
  EXPECT_TRUE(extended);
  EXPECT_TRUE(again.ok());
  EXPECT_FALSE(again.duplicate) << "after " << looks << " looks";
  EXPECT_GE(now() - begun, kWindow);
  // Free to be used for anything, and used anew by that.
  const std::string other = WithId(absl::StrCat("once-", kIds), Marker(103, 1));
  const Answer anew = way->Emit(other);
  EXPECT_TRUE(anew.ok()) << testing::PrintToString(anew);
  EXPECT_FALSE(anew.duplicate);
}

class StreamIdempotencyTest : public RelayTest {};

TEST_F(StreamIdempotencyTest, AStreamKnowsWhatTheOthersEmitted) {
  const std::string request = WithId("shared", Marker(101, 1));
  const Answer first = Emit(request);
  GrpcDoor grpc(relay().grpc_address());
  const auto stream = grpc.OpenStream();
  stream->Write(request);
  const std::optional<Answer> repeat = stream->Read();
  ASSERT_TRUE(repeat.has_value());
  ExpectSameResult(first, *repeat);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace msab::e2e
