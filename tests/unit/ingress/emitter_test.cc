#include "server/ingress/emitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/ingress/ingress_fixture.h"

namespace msab {
namespace {

using test::FieldsOf;
using test::FromJson;
using test::IngressHouse;
using test::LateLog;
using test::RetryOf;
using test::TestBatch;
using test::TestEmit;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr char kReward[] =
    R"("reward_earned":{"user_id":42,"reward":{"id":1,"type":"coins","amount":"5","description":""}})";

std::string Reward(const std::string& envelope = "") {
  return absl::StrCat("{", envelope, envelope.empty() ? "" : ",", kReward, "}");
}

class EmitterTest : public ::testing::Test {
 protected:
  IngressHouse<> house_;
};

TEST_F(EmitterTest, AnswersWhoGotIt) {
  house_.Connect("c1", 42);
  house_.Connect("c2", 42);
  const auto emit = house_.Emit(Reward());
  ASSERT_TRUE(emit->done());
  ASSERT_EQ(emit->code(), absl::StatusCode::kOk);
  const v1::EmitEventResponse answer = emit->answer();
  EXPECT_EQ(answer.event_id().size(), 36u);
  EXPECT_EQ(answer.cursor(), "testepoch-1");
  EXPECT_FALSE(answer.duplicate() || answer.superseded() || answer.expired());
  EXPECT_EQ(answer.recipients().users_targeted(), 1u);
  EXPECT_EQ(answer.recipients().users_online(), 1u);
  EXPECT_EQ(answer.recipients().connections(), 2u);
  const auto delivered = house_.Delivered();
  ASSERT_EQ(delivered.size(), 1u);
  EXPECT_EQ(delivered[0]->event_id, answer.event_id());
  EXPECT_EQ(house_.emitter.Cursor(), "testepoch-1");
}

TEST_F(EmitterTest, NobodyOnlineIsASuccess) {
  const auto emit = house_.Emit(Reward());
  ASSERT_EQ(emit->code(), absl::StatusCode::kOk);
  EXPECT_EQ(emit->answer().recipients().users_targeted(), 1u);
  EXPECT_EQ(emit->answer().recipients().users_online(), 0u);
  EXPECT_EQ(house_.emitter.stats().unreached.Value(), 1);
}

TEST_F(EmitterTest, NamesEveryViolatedField) {
  const auto emit = house_.Emit(
      R"({"event_id":"e","reward_earned":{"user_id":0,"reward":{"id":1,"type":"","amount":"5"}}})");
  ASSERT_TRUE(emit->done());
  ASSERT_EQ(emit->code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldsOf(*emit->refusal()),
              UnorderedElementsAre("user_id", "reward.type", "reward.description"));
  for (const char* path : {"user_id", "reward.type", "reward.description"}) {
    EXPECT_THAT(emit->refusal()->message(), HasSubstr(path));
  }
  EXPECT_EQ(house_.log.Head(), 0u);
  EXPECT_EQ(house_.emitter.remembered_ids(), 0u);  // claimed only after admission
  EXPECT_EQ(house_.emitter.stats().refused[3].Value(), 1);
}

TEST_F(EmitterTest, CutsTheMessageNotTheDetails) {
  v1::EmitEventRequest request;
  for (int i = 0; i < 50; ++i) {
    (*request.mutable_custom()->mutable_payload()->mutable_fields())[absl::StrCat(
        std::string(60, 'k'), i)];
  }
  request.mutable_custom()->set_name("App\\Events\\X");
  request.mutable_target()->mutable_everyone();
  const auto emit = house_.Emit(request);
  ASSERT_EQ(emit->code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FieldsOf(*emit->refusal()).size(), 50u);
  EXPECT_LE(emit->refusal()->message().size(), 1024u);
  EXPECT_GT(emit->refusal()->message().size(), 1000u);
}

TEST_F(EmitterTest, TheSameIdAgainChangesNothing) {
  house_.Connect("c1", 42);
  const auto first = house_.Emit(Reward(R"("event_id":"e1")"));
  house_.Emit(Reward());  // others come in between
  house_.Connect("c2", 42);
  const auto again = house_.Emit(Reward(R"("eventId":"e1")"));
  ASSERT_EQ(again->code(), absl::StatusCode::kOk);
  v1::EmitEventResponse expected = first->answer();
  EXPECT_EQ(expected.event_id(), "e1");
  expected.set_duplicate(true);
  EXPECT_EQ(again->answer().SerializeAsString(), expected.SerializeAsString());
  EXPECT_EQ(house_.log.Head(), 2u);
  EXPECT_EQ(house_.emitter.stats().duplicates.Value(), 1);
}

TEST_F(EmitterTest, TheSameIdForSomethingElseIsRefused) {
  const std::string base =
      R"("event_id":"e1","occurred_at":"2026-01-01T00:00:00Z","ttl":"60s","except_connection_id":"c9")";
  ASSERT_EQ(house_.Emit(Reward(base))->code(), absl::StatusCode::kOk);
  const auto code = [&](const std::string& envelope) {
    return house_.Emit(Reward(envelope))->code();
  };
  const auto other = absl::StatusCode::kAlreadyExists;
  const std::string at = R"("occurred_at":"2026-01-01T00:00:00Z")";
  EXPECT_EQ(code(absl::StrCat(R"("event_id":"e1",)", at, R"(,"ttl":"61s")")), other);
  EXPECT_EQ(code(absl::StrCat(R"("event_id":"e1",)", at)), other);  // absent is not 60 s
  EXPECT_EQ(code(R"("event_id":"e1","occurred_at":"2026-01-01T00:00:01Z","ttl":"60s")"), other);
  EXPECT_EQ(code(R"("event_id":"e1","ttl":"60s")"), other);
  // As given: naming the target that the payload implies is another request.
  EXPECT_EQ(code(absl::StrCat(base, R"(,"target":{"user_id":42})")), other);
  EXPECT_EQ(house_.Emit(absl::StrCat("{", base, R"(,"balance_updated":{"user_id":42}})"))->code(),
            other);
  EXPECT_EQ(house_.log.Head(), 1u);
  // As parsed: another spelling of the same is the same, and so is another connection left out.
  const auto same = house_.Emit(
      Reward(R"("eventId":"e1","occurredAt":"2026-01-01T01:00:00.000+01:00","ttl":"60.000s")"));
  ASSERT_EQ(same->code(), absl::StatusCode::kOk);
  EXPECT_TRUE(same->answer().duplicate());
}

TEST_F(EmitterTest, TargetsAreComparedAsGiven) {
  const auto emit = [&](const std::string& target) {
    return house_.Emit(
        absl::StrCat(R"({"event_id":"e","custom":{"name":"App\\Events\\X","payload":{}},"target":)",
                     target, "}"));
  };
  ASSERT_EQ(emit(R"({"user_ids":{"ids":[1,2]}})")->code(), absl::StatusCode::kOk);
  for (const char* other :
       {R"({"user_ids":{"ids":[1,3]}})", R"({"user_ids":{"ids":[1]}})", R"({"user_id":1})",
        R"({"room_id":"1"})", R"({"user_in_room":{"user_id":1,"room_id":"2"}})",
        R"({"everyone":{}})"}) {
    EXPECT_EQ(emit(other)->code(), absl::StatusCode::kAlreadyExists) << other;
  }
  EXPECT_TRUE(emit(R"({"userIds":{"ids":["1","2"]}})")->answer().duplicate());
}

TEST_F(EmitterTest, CustomPayloadsAreComparedByTheirContent) {
  const auto emit = [&](const std::string& payload) {
    return house_.Emit(absl::StrCat(R"({"event_id":"e","target":{"everyone":{}},"custom":)",
                                    R"({"name":"App\\Events\\X","payload":)", payload, "}}"));
  };
  ASSERT_EQ(emit(R"({"a":1,"b":{"x":true,"y":null},"c":"z"})")->code(), absl::StatusCode::kOk);
  EXPECT_TRUE(emit(R"({"c":"z","b":{"y":null,"x":true},"a":1.0})")->answer().duplicate());
  EXPECT_EQ(emit(R"({"a":1,"b":{"x":true},"c":"z"})")->code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(EmitterTest, AFullInboxRefusesAndForgetsTheId) {
  house_.Connect("c1", 42);
  house_.inbox.set_bound(0);
  const auto refused = house_.Emit(Reward(R"("event_id":"e1")"));
  ASSERT_EQ(refused->code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(RetryOf(*refused->refusal()), 0);
  EXPECT_EQ(house_.log.Head(), 0u);
  house_.inbox.set_bound(100);
  const auto again = house_.Emit(Reward(R"("event_id":"e1")"));
  ASSERT_EQ(again->code(), absl::StatusCode::kOk);
  EXPECT_FALSE(again->answer().duplicate());
}

TEST_F(EmitterTest, SaysWhatIsExpiredOrSuperseded) {
  const auto expired = house_.Emit(Reward(R"("occurred_at":"2025-12-31T00:00:00Z","ttl":"1s")"));
  EXPECT_TRUE(expired->answer().expired());
  ASSERT_EQ(
      house_
          .Emit(
              R"({"occurred_at":"2026-01-01T00:00:09Z","balance_updated":{"user_id":42,"coins":"2"}})")
          ->code(),
      absl::StatusCode::kOk);
  const auto late = house_.Emit(
      R"({"occurred_at":"2026-01-01T00:00:05Z","balance_updated":{"user_id":42,"coins":"1"}})");
  EXPECT_TRUE(late->answer().superseded());
  EXPECT_EQ(late->answer().cursor(), "testepoch-1");
  EXPECT_EQ(house_.emitter.stats().expired.Value(), 1);
  EXPECT_EQ(house_.emitter.stats().superseded.Value(), 1);
}

TEST_F(EmitterTest, CountsByEvent) {
  house_.Emit(Reward(R"("event_id":"e1")"));
  house_.Emit(Reward(R"("event_id":"e1")"));
  house_.Emit(Reward());
  house_.Emit(R"({"custom":{"name":"App\\Events\\One","payload":{}},"target":{"everyone":{}}})");
  house_.Emit(R"({"custom":{"name":"App\\Events\\Two","payload":{}},"target":{"everyone":{}}})");
  const auto accepted = [&](std::string_view name) {
    return house_.emitter.stats().accepted[house_.catalog->Find(name)->index].Value();
  };
  EXPECT_EQ(accepted("reward.earned"), 2);
  EXPECT_EQ(accepted("App\\Events\\Any"), 2);  // a pattern is one
  EXPECT_EQ(accepted("balance.updated"), 0);
}

TEST_F(EmitterTest, DrainingRefusesEveryCall) {
  google::rpc::Status refusal;
  ASSERT_TRUE(house_.emitter.Enter(refusal));
  house_.emitter.Leave();
  house_.emitter.Drain();
  ASSERT_FALSE(house_.emitter.Enter(refusal));
  EXPECT_EQ(refusal.code(), static_cast<int>(absl::StatusCode::kUnavailable));
  EXPECT_GT(RetryOf(refusal), 0);
  EXPECT_EQ(house_.emitter.in_flight(), 0u);
}

TEST(EmitterLimitTest, TooManyCallsInFlight) {
  IngressHouse<> house({.max_in_flight = 2});
  google::rpc::Status refusal;
  ASSERT_TRUE(house.emitter.Enter(refusal));
  ASSERT_TRUE(house.emitter.Enter(refusal));
  ASSERT_FALSE(house.emitter.Enter(refusal));
  EXPECT_EQ(refusal.code(), static_cast<int>(absl::StatusCode::kResourceExhausted));
  EXPECT_GT(RetryOf(refusal), 0);
  house.emitter.Leave();
  EXPECT_TRUE(house.emitter.Enter(refusal));
}

TEST(EmitterLogTest, SaysWhyButNeverWhat) {
  IngressHouse<> house;
  ::testing::internal::CaptureStderr();
  StartLogging("info");
  house.Emit(R"({"reward_earned":{"user_id":42,"reward":{"id":7777,"type":"SECRETTYPE",)"
             R"("amount":"","description":"SECRETTEXT"}}})");
  house.Emit(R"({"custom":{"name":"Un\nlisted","payload":{"a":"SECRETVALUE"}}})");
  StopLogging();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("msg=\"emit refused\" code=INVALID_ARGUMENT client=laravel "
                             "event=reward_earned fields=reward.amount"));
  EXPECT_THAT(log, Not(HasSubstr("SECRET")));
  EXPECT_THAT(log, Not(HasSubstr("7777")));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1);  // the clock stands: one line a while
}

TEST(EmitterLateTest, ARepeatWaitsForTheFirst) {
  IngressHouse<LateLog> house;
  const auto first = house.Emit(Reward(R"("event_id":"e1")"));
  const auto repeat = house.Emit(Reward(R"("event_id":"e1")"));
  const auto other = house.Emit(R"({"event_id":"e1","balance_updated":{"user_id":42}})");
  EXPECT_FALSE(first->done());
  EXPECT_FALSE(repeat->done());
  EXPECT_EQ(other->code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(house.log.pending(), 1u);
  house.log.CompleteAll();
  EXPECT_EQ(first->answer().cursor(), "testepoch-1");
  EXPECT_FALSE(first->answer().duplicate());
  EXPECT_EQ(repeat->answer().cursor(), "testepoch-1");
  EXPECT_TRUE(repeat->answer().duplicate());
}

TEST(EmitterLateTest, ARepeatProceedsIfTheFirstFailed) {
  IngressHouse<LateLog> house;
  const auto first = house.Emit(Reward(R"("event_id":"e1")"));
  const auto second = house.Emit(Reward(R"("event_id":"e1")"));
  const auto third = house.Emit(Reward(R"("event_id":"e1")"));
  house.log.Refuse(absl::UnavailableError("the log is out of reach"));
  EXPECT_EQ(first->code(), absl::StatusCode::kUnavailable);
  EXPECT_GT(RetryOf(*first->refusal()), 0);
  EXPECT_FALSE(second->done());
  EXPECT_EQ(house.log.pending(), 1u);
  house.log.CompleteAll();
  EXPECT_FALSE(second->answer().duplicate());
  EXPECT_TRUE(third->answer().duplicate());
  EXPECT_EQ(third->answer().cursor(), second->answer().cursor());
}

TEST(EmitterRaceTest, OneOfManyRepeatsIsAccepted) {
  constexpr int kThreads = 4;
  constexpr int kIds = 2'000;
  IngressHouse<> house;
  std::vector<v1::EmitEventRequest> requests;
  for (int i = 0; i < kIds; ++i) {
    requests.push_back(FromJson(Reward(absl::StrCat(R"("event_id":"e)", i, "\""))));
  }
  // A repeat may be answered by another thread: judged once all are done.
  std::vector<std::vector<std::unique_ptr<TestEmit>>> emits(kThreads);
  std::vector<std::thread> threads;
  std::latch all_there(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      all_there.arrive_and_wait();
      for (const auto& request : requests) emits[t].push_back(house.Emit(request));
    });
  }
  for (std::thread& thread : threads) thread.join();
  int firsts = 0;
  std::vector<std::vector<std::string>> cursors(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    for (const auto& emit : emits[t]) {
      ASSERT_TRUE(emit->done());
      if (!emit->answer().duplicate()) ++firsts;
      cursors[t].push_back(emit->answer().cursor());
    }
  }
  EXPECT_EQ(firsts, kIds);
  EXPECT_EQ(house.log.Head(), static_cast<uint64_t>(kIds));
  EXPECT_THAT(cursors, Each(cursors[0]));
  EXPECT_EQ(std::set<std::string>(cursors[0].begin(), cursors[0].end()).size(),
            static_cast<size_t>(kIds));
}

TEST(EmitBatchTest, ItemsStandAloneAndAreNumberedInOrder) {
  IngressHouse<> house;
  const auto request = FromJson<v1::EmitEventsRequest>(
      absl::StrCat(R"({"events":[)", Reward(R"("event_id":"a")"), ",{},",
                   Reward(R"("event_id":"b")"), ",", Reward(R"("event_id":"a")"), "]}"));
  TestBatch batch;
  batch.Start(house.emitter, request, house.client);
  ASSERT_TRUE(batch.done());
  const v1::EmitEventsResponse answer = batch.answer();
  ASSERT_EQ(answer.results_size(), 4);
  EXPECT_EQ(answer.results(0).ok().event_id(), "a");
  EXPECT_EQ(answer.results(0).ok().cursor(), "testepoch-1");
  EXPECT_EQ(answer.results(1).error().code(), 3);
  EXPECT_THAT(FieldsOf(answer.results(1).error()), ElementsAre("event"));
  EXPECT_EQ(answer.results(2).ok().cursor(), "testepoch-2");
  EXPECT_TRUE(answer.results(3).ok().duplicate());
  EXPECT_EQ(answer.results(3).ok().cursor(), "testepoch-1");
}

TEST(EmitBatchTest, WaitsForLateItems) {
  IngressHouse<LateLog> house;
  const auto request = FromJson<v1::EmitEventsRequest>(
      absl::StrCat(R"({"events":[)", Reward(), ",{},", Reward(R"("event_id":"b")"), ",",
                   Reward(R"("event_id":"b")"), "]}"));
  TestBatch batch;
  batch.Start(house.emitter, request, house.client);
  EXPECT_FALSE(batch.done());
  ASSERT_TRUE(house.log.CompleteFirst());
  EXPECT_FALSE(batch.done());
  ASSERT_TRUE(house.log.CompleteFirst());
  ASSERT_TRUE(batch.done());
  EXPECT_EQ(batch.answer().results(2).ok().cursor(), "testepoch-2");
  EXPECT_TRUE(batch.answer().results(3).ok().duplicate());
}

TEST(EmitBatchTest, AnEmptyBatchIsAnswered) {
  IngressHouse<> house;
  TestBatch batch;
  batch.Start(house.emitter, v1::EmitEventsRequest(), house.client);
  ASSERT_TRUE(batch.done());
  EXPECT_EQ(batch.answer().results_size(), 0);
}

TEST(EmitBatchTest, HasABound) {
  google::rpc::Status refusal;
  EXPECT_TRUE(EmitBatch::Fits(kMaxBatch, refusal));
  ASSERT_FALSE(EmitBatch::Fits(kMaxBatch + 1, refusal));
  EXPECT_EQ(refusal.code(), 3);
  EXPECT_THAT(FieldsOf(refusal), ElementsAre("events"));
}

}  // namespace
}  // namespace msab
