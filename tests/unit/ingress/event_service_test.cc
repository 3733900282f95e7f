#include "server/ingress/event_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "server/ingress/grpc_server.h"
#include "tests/unit/ingress/ingress_fixture.h"

namespace msab {
namespace {

using test::FieldsOf;
using test::FromJson;
using test::IngressHouse;
using test::LateLog;
using test::RetryOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr char kEvent[] =
    R"({"agency_dissolved":{"agency_id":1,"agency_name":"A"},"target":{"user_id":42}})";

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

// A real client and a real server, in one process.
template <typename L>
class Wire {
 public:
  explicit Wire(Emitter::Options options = {}, EventService::Options service_options = {})
      : house(options), service(house.emitter, house.keys, service_options) {
    auto started =
        GrpcServer::Start({.listen = {"127.0.0.1", 0}}, {{"msab.v1.EventService", &service}});
    EXPECT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    stub = v1::EventService::NewStub(grpc::CreateCustomChannel(
        server->address().ToString(), grpc::InsecureChannelCredentials(), arguments));
  }
  ~Wire() { server->Stop(0ms); }

  // A call's context with that key; 20 s are for ever.
  static std::unique_ptr<grpc::ClientContext> Call(const std::string& key = "emit-key") {
    auto context = std::make_unique<grpc::ClientContext>();
    if (!key.empty()) context->AddMetadata("authorization", "Bearer " + key);
    context->set_deadline(std::chrono::system_clock::now() + 20s);
    return context;
  }

  grpc::Status Emit(const std::string& json, v1::EmitEventResponse& response,
                    const std::string& key = "emit-key") {
    return stub->EmitEvent(Call(key).get(), FromJson(json), &response);
  }

  IngressHouse<L> house;
  EventService service;
  std::unique_ptr<GrpcServer> server;
  std::unique_ptr<v1::EventService::Stub> stub;
};

class EventServiceTest : public ::testing::Test {
 protected:
  Wire<MemoryLog> wire_;
};

TEST_F(EventServiceTest, EmitsAnEvent) {
  wire_.house.Connect("c1", 42);
  v1::EmitEventResponse response;
  const grpc::Status status = wire_.Emit(kEvent, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.cursor(), "testepoch-1");
  EXPECT_EQ(response.recipients().connections(), 1u);
  EXPECT_EQ(wire_.house.Delivered().size(), 1u);
  v1::GetCursorResponse cursor;
  ASSERT_TRUE(wire_.stub->GetCursor(Wire<MemoryLog>::Call().get(), {}, &cursor).ok());
  EXPECT_EQ(cursor.cursor(), "testepoch-1");
  EXPECT_EQ(wire_.house.emitter.in_flight(), 0u);
}

TEST_F(EventServiceTest, EveryMethodWantsAKeyWithTheRight) {
  const struct {
    std::string key;
    grpc::StatusCode code;
  } cases[] = {{"", grpc::StatusCode::UNAUTHENTICATED},
               {"nobodys", grpc::StatusCode::UNAUTHENTICATED},
               {"admin-key", grpc::StatusCode::PERMISSION_DENIED}};
  for (const auto& [key, code] : cases) {
    v1::EmitEventResponse one;
    EXPECT_EQ(wire_.Emit(kEvent, one, key).error_code(), code);
    v1::EmitEventsResponse batch;
    EXPECT_EQ(wire_.stub->EmitEvents(Wire<MemoryLog>::Call(key).get(), {}, &batch).error_code(),
              code);
    v1::GetCursorResponse cursor;
    EXPECT_EQ(wire_.stub->GetCursor(Wire<MemoryLog>::Call(key).get(), {}, &cursor).error_code(),
              code);
    const auto context = Wire<MemoryLog>::Call(key);
    const auto stream = wire_.stub->EmitEventStream(context.get());
    EXPECT_EQ(stream->Finish().error_code(), code);
  }
  EXPECT_EQ(wire_.house.log.Head(), 0u);
  EXPECT_EQ(wire_.house.emitter.stats().refused[16].Value(), 8);
  EXPECT_EQ(wire_.house.emitter.stats().refused[7].Value(), 4);
}

TEST_F(EventServiceTest, ShowsEveryViolatedField) {
  v1::EmitEventResponse response;
  const grpc::Status status = wire_.Emit(
      R"({"reward_earned":{"user_id":0,"reward":{"id":1,"type":"","amount":"5"}}})", response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("reward.type"));
  const google::rpc::Status details = DetailsOf(status);
  EXPECT_EQ(details.code(), 3);
  EXPECT_EQ(details.message(), status.error_message());
  EXPECT_EQ(FieldsOf(details).size(), 3u);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.BadRequest");
}

// What doesn't fit into the trailers would cost the client the whole status.
TEST_F(EventServiceTest, ManyViolationsStillArrive) {
  v1::EmitEventRequest request;
  for (int i = 0; i < 60; ++i) {
    auto& fields = *request.mutable_custom()->mutable_payload()->mutable_fields();
    fields[absl::StrCat(std::string(200, 'k'), i)];
  }
  request.mutable_custom()->set_name("App\\Events\\X");
  request.mutable_target()->mutable_everyone();
  v1::EmitEventResponse response;
  const grpc::Status status =
      wire_.stub->EmitEvent(Wire<MemoryLog>::Call().get(), request, &response);
  ASSERT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto fields = FieldsOf(DetailsOf(status));
  ASSERT_GT(fields.size(), 5u);
  EXPECT_LT(fields.size(), 60u);
  EXPECT_EQ(fields.back(), "…");
}

TEST_F(EventServiceTest, EmitsABatchInOrder) {
  v1::EmitEventsRequest request;
  for (int i = 0; i < 1'000; ++i) {
    *request.add_events() = FromJson(i == 500 ? "{}" : kEvent);
    request.mutable_events(i)->set_event_id(absl::StrCat("id", i));
  }
  v1::EmitEventsResponse response;
  ASSERT_TRUE(wire_.stub->EmitEvents(Wire<MemoryLog>::Call().get(), request, &response).ok());
  ASSERT_EQ(response.results_size(), 1'000);
  EXPECT_EQ(response.results(500).error().code(), 3);
  for (int i = 0; i < 1'000; ++i) {
    if (i == 500) continue;
    EXPECT_EQ(response.results(i).ok().event_id(), absl::StrCat("id", i));
    EXPECT_EQ(response.results(i).ok().cursor(), absl::StrCat("testepoch-", i < 500 ? i + 1 : i));
  }
  *request.add_events() = FromJson(kEvent);
  const grpc::Status status =
      wire_.stub->EmitEvents(Wire<MemoryLog>::Call().get(), request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(FieldsOf(DetailsOf(status)), ElementsAre("events"));
}

TEST_F(EventServiceTest, RefusesARequestThatIsTooLarge) {
  v1::EmitEventsRequest request;
  request.add_events()->set_event_id(std::string(size_t{4} << 20, 'x'));
  v1::EmitEventsResponse response;
  const grpc::Status status =
      wire_.stub->EmitEvents(Wire<MemoryLog>::Call().get(), request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_details(), "");  // no RetryInfo: again it would be too large
}

TEST_F(EventServiceTest, RefusesWithRetryInfoWhileDraining) {
  wire_.house.emitter.Drain();
  v1::EmitEventResponse one;
  grpc::Status status = wire_.Emit(kEvent, one);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_GT(RetryOf(DetailsOf(status)), 0);
  v1::EmitEventsResponse batch;
  status = wire_.stub->EmitEvents(Wire<MemoryLog>::Call().get(), {}, &batch);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  const auto context = Wire<MemoryLog>::Call();
  EXPECT_EQ(wire_.stub->EmitEventStream(context.get())->Finish().error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(EventServiceTest, StreamsAnswersInOrder) {
  constexpr int kEvents = 1'000;
  const auto context = Wire<MemoryLog>::Call();
  const auto stream = wire_.stub->EmitEventStream(context.get());
  std::thread writer([&] {
    for (int i = 0; i < kEvents; ++i) {
      v1::EmitEventRequest request = FromJson(i == 10 ? "{}" : kEvent);
      request.set_event_id(absl::StrCat("id", i));
      ASSERT_TRUE(stream->Write(request));
    }
    stream->WritesDone();
  });
  v1::EmitResult result;
  for (int i = 0; i < kEvents; ++i) {
    ASSERT_TRUE(stream->Read(&result)) << i;
    if (i == 10) {
      EXPECT_EQ(result.error().code(), 3);
      continue;
    }
    EXPECT_EQ(result.ok().event_id(), absl::StrCat("id", i));
  }
  writer.join();
  EXPECT_FALSE(stream->Read(&result));
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(wire_.house.log.Head(), static_cast<uint64_t>(kEvents - 1));
}

TEST_F(EventServiceTest, DrainEndsOpenStreams) {
  const auto context = Wire<MemoryLog>::Call();
  const auto stream = wire_.stub->EmitEventStream(context.get());
  v1::EmitResult result;
  ASSERT_TRUE(stream->Write(FromJson(kEvent)));
  ASSERT_TRUE(stream->Read(&result));
  EXPECT_EQ(wire_.service.open_streams(), 1u);
  wire_.house.emitter.Drain();
  wire_.service.DrainStreams();
  EXPECT_FALSE(stream->Read(&result));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_GT(RetryOf(DetailsOf(status)), 0);
  wire_.server->Stop(20s);  // hangs if the stream had not ended
  EXPECT_EQ(wire_.service.open_streams(), 0u);
}

TEST_F(EventServiceTest, StopEndsStreamsThatDontEnd) {
  const auto context = Wire<MemoryLog>::Call();
  const auto stream = wire_.stub->EmitEventStream(context.get());
  v1::EmitResult result;
  ASSERT_TRUE(stream->Write(FromJson(kEvent)));
  ASSERT_TRUE(stream->Read(&result));
  wire_.server->Stop(10ms);
  EXPECT_FALSE(stream->Read(&result));
  EXPECT_FALSE(stream->Finish().ok());
}

class LateEventServiceTest : public ::testing::Test {
 protected:
  void AwaitPending(size_t n) { ASSERT_TRUE(test::AwaitPending(wire_.house.log, n)); }

  Wire<LateLog> wire_{{}, {.max_deadline = 1'000ms}};
};

TEST_F(LateEventServiceTest, AnswersWhenTheLogDoes) {
  v1::EmitEventResponse response;
  std::thread caller([&] { EXPECT_TRUE(wire_.Emit(kEvent, response).ok()); });
  AwaitPending(1);
  wire_.house.log.CompleteAll();
  caller.join();
  EXPECT_EQ(response.cursor(), "testepoch-1");
}

TEST_F(LateEventServiceTest, ACallEndsWithoutTheLogAtTheLongest) {
  v1::EmitEventResponse response;
  EXPECT_EQ(wire_.Emit(kEvent, response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(wire_.house.emitter.in_flight(), 1u);  // still being worked on, truthfully
  wire_.house.log.CompleteAll();
  EXPECT_EQ(wire_.house.emitter.in_flight(), 0u);
  EXPECT_EQ(wire_.house.log.Head(), 1u);
}

TEST_F(LateEventServiceTest, ACallerThatIsGoneDoesNoHarm) {
  const auto context = Wire<LateLog>::Call();
  v1::EmitEventsRequest request;
  *request.add_events() = FromJson(kEvent);
  v1::EmitEventsResponse response;
  std::thread caller([&] {
    EXPECT_EQ(wire_.stub->EmitEvents(context.get(), request, &response).error_code(),
              grpc::StatusCode::CANCELLED);
  });
  AwaitPending(1);
  context->TryCancel();
  caller.join();
  wire_.server->Stop(20s);  // does not wait for the log
  EXPECT_EQ(wire_.house.emitter.in_flight(), 1u);
  wire_.house.log.CompleteAll();
  EXPECT_EQ(wire_.house.emitter.in_flight(), 0u);
}

TEST_F(LateEventServiceTest, AStreamReadsOnlySoFarAhead) {
  const auto context = Wire<LateLog>::Call();
  const auto stream = wire_.stub->EmitEventStream(context.get());
  constexpr int kEvents = 100;
  for (int i = 0; i < kEvents; ++i) {
    v1::EmitEventRequest request = FromJson(kEvent);
    request.set_event_id(absl::StrCat("id", i));
    ASSERT_TRUE(stream->Write(request));
  }
  AwaitPending(64);
  // Completed the other way round, answered in order all the same.
  wire_.house.log.CompleteLast();
  wire_.house.log.StartThread();
  stream->WritesDone();
  v1::EmitResult result;
  for (int i = 0; i < kEvents; ++i) {
    ASSERT_TRUE(stream->Read(&result));
    EXPECT_EQ(result.ok().event_id(), absl::StrCat("id", i));
  }
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(LateEventServiceTest, DrainAnswersWhatAStreamBrought) {
  const auto context = Wire<LateLog>::Call();
  const auto stream = wire_.stub->EmitEventStream(context.get());
  ASSERT_TRUE(stream->Write(FromJson(kEvent)));
  ASSERT_TRUE(stream->Write(FromJson(kEvent)));
  AwaitPending(2);
  wire_.house.emitter.Drain();
  wire_.service.DrainStreams();
  wire_.house.log.CompleteAll();
  v1::EmitResult result;
  ASSERT_TRUE(stream->Read(&result));
  EXPECT_EQ(result.ok().cursor(), "testepoch-1");
  ASSERT_TRUE(stream->Read(&result));
  EXPECT_EQ(result.ok().cursor(), "testepoch-2");
  EXPECT_FALSE(stream->Read(&result));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(LateEventServiceTest, AStreamMayBeCancelledWithEmitsUnderWay) {
  {
    const auto context = Wire<LateLog>::Call();
    const auto stream = wire_.stub->EmitEventStream(context.get());
    ASSERT_TRUE(stream->Write(FromJson(kEvent)));
    ASSERT_TRUE(stream->Write(FromJson(kEvent)));
    AwaitPending(2);
    context->TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  wire_.server->Stop(20s);
  EXPECT_EQ(wire_.service.open_streams(), 0u);
  wire_.house.log.CompleteAll();
  EXPECT_EQ(wire_.house.emitter.in_flight(), 0u);
}

}  // namespace
}  // namespace msab
